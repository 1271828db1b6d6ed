"""`/api/{serviceId}/descriptions`: scopes and authorization types in words for people."""

from collections.abc import Mapping
from typing import Any, Final

from ...fields import members as m
from ...models import Described, Description, Reason
from ...protocol.results import Refused, Result
from ..store.answer import Answer, done
from ..store.request import StoreRequest

BY_API: Final = Reason("requested through the API")
DESCRIBED: Final = (m.SCOPE, m.AUTHORIZATION_TYPE.named("authorizationType"))
"""One of the two is given."""
SAVE: Final = (*DESCRIBED, m.SENSITIVITY, m.DESCRIPTION_TEXTS)
LIST: Final = (m.LIMIT, m.AFTER)
PAGE: Final = 100


def save(request: StoreRequest) -> Answer:
    """Create the description of a scope or an authorization type, or change what is given.

    Refused: neither `scope` nor `authorizationType` is given, or both.
    """
    given = {
        name: request.values[name] for name in ("sensitivity", "texts") if name in request.values
    }
    kind, name = described(request.values)
    row = Description.objects.put(request.service, kind, name, request.caller, BY_API, **given)
    return done(show(row))


def get(request: StoreRequest) -> Answer:
    """The description of a scope or an authorization type. Refused: there is none."""
    kind, name = described(request.values)
    row = Description.objects.filter(service=request.service, kind=kind, name=name).first()
    if row is None:
        raise Refused(Result.DESCRIPTION_UNKNOWN)
    return done(show(row))


def delete(request: StoreRequest) -> Answer:
    """Delete the description. Refused: there is none."""
    kind, name = described(request.values)
    if not Description.objects.remove(request.service, kind, name, request.caller, BY_API):
        raise Refused(Result.DESCRIPTION_UNKNOWN)
    return done({})


def list_descriptions(request: StoreRequest) -> Answer:
    """A page of the service's descriptions, by name, and as `after` where the next one starts."""
    limit = request.values.get("limit", PAGE)
    rows = Description.objects.filter(service=request.service).order_by("name", "kind")
    if "after" in request.values:
        rows = rows.filter(name__gt=request.values["after"])
    page = list(rows[: limit + 1])
    # A scope and a type may share a name: both are on the same page.
    shown = [row for row in page if len(page) <= limit or row.name < page[limit].name] or page
    more = shown[-1].name if len(page) > limit else None
    return done({"after": more}) | {"descriptions": [show(row) for row in shown]}


def described(values: Mapping[str, Any]) -> tuple[Described, str]:
    """What is described: its kind and its name. Refused: none or two are given."""
    named = {
        Described.SCOPE: values.get("scope"),
        Described.AUTHORIZATION_TYPE: values.get("authorizationType"),
    }
    found = [(kind, name) for kind, name in named.items() if name is not None]
    if len(found) != 1:
        message = "either 'scope' or 'authorizationType' is needed."
        raise Refused(Result.BODY_UNREADABLE, message)
    return found[0]


def show(row: Description) -> Answer:
    """The members of a description."""
    is_scope = row.kind == Described.SCOPE
    named = {"scope" if is_scope else "authorizationType": row.name}
    return named | {"sensitivity": str(row.sensitivity), "texts": row.texts}
