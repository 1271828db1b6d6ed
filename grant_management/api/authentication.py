"""Authentication of the API's callers: from an API token to `Credentials` and a `Service`."""

import re
from typing import Final

from ..fields.members import MAX_ID
from ..models import Credentials, Service
from ..protocol.results import Refused, Result

NO_SERVICE: Final = 0
"""The number of no service, for calls that name none."""

# RFC 6750 §2.1. Scheme names are case-insensitive (RFC 9110 §11.1).
_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)\Z", re.IGNORECASE)


def authenticate(authorization: str, service_id: int, access_token: str = "") -> Credentials:
    """The API token of an `Authorization` header, with the service and the access token: 1 query.

    `service_id` is the number in the URL; `access_token` is the client's, "" where the call has
    none. Refused: the header is missing or malformed, or the API token is unknown, expired or
    revoked.
    """
    if not authorization.strip():
        raise Refused(Result.AUTHORIZATION_MISSING)
    credential = _BEARER.match(authorization)
    if credential is None:
        raise Refused(Result.AUTHORIZATION_MALFORMED)
    # A larger number does not fit into the column, so no service has it.
    known = service_id if service_id <= MAX_ID else NO_SERVICE
    found = Credentials.find(credential[1], known, access_token)
    if found is None or not found.api_token.is_active(found.now):
        raise Refused(Result.API_TOKEN_INVALID)
    return found


def authorize(found: Credentials) -> Service:
    """The service that was asked for, if the API token opens it: no query.

    Refused: the API token is not for this service, or there is no such service. The message is the
    same, so that nobody learns which services exist.
    """
    service = found.opened()
    if service is None:
        raise Refused(Result.SERVICE_NOT_ALLOWED)
    return service
