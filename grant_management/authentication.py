"""The caller of the API: API token → `ApiToken` and `Service`."""

import re
from datetime import datetime
from typing import Final

from .models import ApiToken, Service
from .models.organization import MAX_ID
from .protocol.results import Refused, Result

NO_SERVICE: Final = 0

# RFC 6750 §2.1; the scheme's name is read in any case (RFC 9110 §11.1).
_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)\Z", re.IGNORECASE)


def authenticate(authorization: str, service_id: int, now: datetime) -> ApiToken:
    """The API token of an `Authorization` header, with what `authorize` needs: 1 query.

    Refused: there is no valid one.
    """
    if not authorization.strip():
        raise Refused(Result.AUTHORIZATION_MISSING)
    credential = _BEARER.match(authorization)
    if credential is None:
        raise Refused(Result.AUTHORIZATION_MALFORMED)
    try:
        known = service_id if service_id <= MAX_ID else NO_SERVICE
        api_token = ApiToken.objects.presented(credential[1], known)
    except ApiToken.DoesNotExist:
        raise Refused(Result.API_TOKEN_INVALID) from None
    if not api_token.is_active(now):
        raise Refused(Result.API_TOKEN_INVALID)
    return api_token


def authorize(api_token: ApiToken) -> Service:
    """The service that was asked for, where the token opens it: no query.

    Refused, in the same words, where it does not and where there is no such service.
    """
    service = api_token.opened()
    if service is None:
        raise Refused(Result.SERVICE_NOT_ALLOWED)
    return service
