"""Pins an authorization request to its consent page.

allauth's form brings back what allauth needs, in a signed field of its own, and drops all other
parameters. A second signed field brings back the rest. It is bound to the first field and to the
user, so the fields of two pages cannot be mixed.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from grant_management.contrib.bridge.consent import PARAMETERS
from grant_management.protocol.digests import sha256

FIELD: Final = "grant_management"
SALT: Final = "grant_management.contrib.allauth_idp"
LONGEST: Final = 86_400
"""Seconds that a consent page may stay open."""
SINGLE: Final = ("client_id", "redirect_uri", "response_type", "state", "scope")
REPEATED: Final = (*PARAMETERS, "resource")


class Request:
    """The parameters of an authorization request, as the consent page showed them."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self.values = {name: values[name] for name in (*SINGLE, *REPEATED) if values.get(name)}

    def getlist(self, name: str) -> list[str]:
        """All values of a parameter; []: it is absent."""
        return self.values.get(name, [])

    def get(self, name: str, default: str = "") -> str:
        """The value of a parameter that comes once."""
        return self.getlist(name)[-1] if self.getlist(name) else default

    def __getitem__(self, name: str) -> str:
        return self.get(name)


def of_query(request: HttpRequest) -> Request:
    """The authorization request in a query."""
    return Request(dict(request.GET.lists()))


def pin(shown: Request, field: str, request: HttpRequest) -> str:
    """The value of the signed field, for allauth's `field` and this user."""
    bound = [*_bound_to(field, request), shown.values]
    return signing.dumps(bound, salt=SALT, compress=True)


def of_form(request: HttpRequest) -> Request:
    """The authorization request that a form brings back.

    PermissionDenied: the field is absent, altered or too old, or of another page or user.
    """
    try:
        *bound, values = signing.loads(request.POST.get(FIELD, ""), salt=SALT, max_age=LONGEST)
    except signing.BadSignature:
        raise PermissionDenied from None
    if bound != _bound_to(request.POST.get("request", ""), request):
        raise PermissionDenied
    return Request(values)


def _bound_to(field: str, request: HttpRequest) -> list[Any]:
    return [sha256(field).hex(), str(request.user.pk)]
