"""The caller of the API: API token → `ApiToken` and `Service`."""

import re
from datetime import datetime

from .models import ApiToken, Service
from .models.organization import MAX_ID
from .protocol.digests import sha256
from .protocol.results import Refused, Result

# RFC 6750 §2.1; the scheme's name is read in any case (RFC 9110 §11.1).
_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)\Z", re.IGNORECASE)


def authenticate(authorization: str, now: datetime) -> ApiToken:
    """The API token of an `Authorization` header: 1 query. Refused: there is no valid one."""
    if not authorization.strip():
        raise Refused(Result.AUTHORIZATION_MISSING)
    credential = _BEARER.match(authorization)
    if credential is None:
        raise Refused(Result.AUTHORIZATION_MALFORMED)
    try:
        api_token = ApiToken.objects.select_related("service").get(digest=sha256(credential[1]))
    except ApiToken.DoesNotExist:
        raise Refused(Result.API_TOKEN_INVALID) from None
    if not api_token.is_active(now):
        raise Refused(Result.API_TOKEN_INVALID)
    return api_token


def authorize(api_token: ApiToken, service_id: int) -> Service:
    """The service, where the token opens it: no query for a service's own token, else 1.

    Refused, in the same words, where it does not and where there is no such service.
    """
    service = api_token.service
    if service is None:
        service = _service_of_organization(api_token, service_id)
    if service is None or service.pk != service_id:
        raise Refused(Result.SERVICE_NOT_ALLOWED)
    return service


def _service_of_organization(api_token: ApiToken, service_id: int) -> Service | None:
    if service_id > MAX_ID:
        return None
    services = Service.objects.filter(organization_id=api_token.organization_id, pk=service_id)
    return next(iter(services), None)
