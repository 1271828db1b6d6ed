"""The caller of the API: API token → `Credentials`, and its `Service`."""

import re
from typing import Final

from ..fields.members import MAX_ID
from ..models import Credentials, Service
from ..protocol.results import Refused, Result

NO_SERVICE: Final = 0

# RFC 6750 §2.1; the scheme's name is read in any case (RFC 9110 §11.1).
_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)\Z", re.IGNORECASE)


def authenticate(authorization: str, service_id: int, access_token: str = "") -> Credentials:
    """The API token of an `Authorization` header, and what it was presented with: 1 query.

    Refused: there is no valid one.
    """
    if not authorization.strip():
        raise Refused(Result.AUTHORIZATION_MISSING)
    credential = _BEARER.match(authorization)
    if credential is None:
        raise Refused(Result.AUTHORIZATION_MALFORMED)
    known = service_id if service_id <= MAX_ID else NO_SERVICE
    found = Credentials.find(credential[1], known, access_token)
    if found is None or not found.api_token.is_active(found.now):
        raise Refused(Result.API_TOKEN_INVALID)
    return found


def authorize(found: Credentials) -> Service:
    """The service that was asked for, where the API token opens it: no query.

    Refused, in the same words, where it does not and where there is no such service.
    """
    service = found.opened()
    if service is None:
        raise Refused(Result.SERVICE_NOT_ALLOWED)
    return service
