"""allauth's authentication for Django REST framework, which judges the token here too."""

from typing import Any

from allauth.idp.oidc.contrib.rest_framework.authentication import TokenAuthentication
from django.http import HttpRequest

from .registered import lives


class GrantTokenAuthentication(TokenAuthentication):  # type: ignore[misc]
    """For `authentication_classes`, in place of allauth's `TokenAuthentication`."""

    def authenticate(self, request: HttpRequest) -> tuple[Any, Any] | None:
        """The user and allauth's row of the token; None: it is not valid, or dead here."""
        found: tuple[Any, Any] | None = super().authenticate(request)
        if found is None or found[1] is None or not lives(found[1]):
            return None
        return found
