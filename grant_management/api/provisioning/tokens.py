"""Operations on the API tokens of one organization: create, list, update, rotate, revoke.

No caller can hand on a right, not even its own: only operators give rights. So a new token has
none; a caller cannot change a token that has a right which the caller lacks; and no token that has
a right is rotated, since whoever gets the new value would have that right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from ...fields import members as m
from ...fields.field import Field
from ...fields.reading import read
from ...models import Actor, ApiToken, Service
from ...protocol.results import Refused, Result

Members = dict[str, Any]
Answer = dict[str, Any] | list[dict[str, Any]]


@dataclass(frozen=True)
class ProvisioningRequest:
    """The caller, the kind of token, and the members of the body.

    `kind` is `service` or `organization`; `now` is the database's time.
    """

    caller: ApiToken
    kind: str
    members: Members
    now: datetime


def create(request: ProvisioningRequest) -> Answer:
    """A new token without rights. Only this answer has its value, as `accessToken`.

    Refused: a service token's `serviceId` is missing, or not of the caller's organization.
    """
    token, value = ApiToken.objects.issue(
        organization=request.caller.organization,
        service=_service(request),
        description=_read(request, m.DESCRIPTION) or "",
        actor=_actor(request),
    )
    return _show(request, token) | {"accessToken": value}


def list_all(request: ProvisioningRequest) -> Answer:
    """The active tokens of this kind, without their values; of one service where it is named."""
    rows = _tokens(request).active(request.now).order_by("created_at")
    return [_show(request, token) for token in rows]


def update(request: ProvisioningRequest) -> Answer:
    """Change the description, where one is given.

    Refused: there is no such active token, or it has a right that the caller lacks.
    """
    token = _token(request)
    description = _read(request, m.DESCRIPTION)
    if description is not None:
        token.describe(description, _actor(request), _may_touch(request))
        token.description = description
    return _show(request, token)


def rotate(request: ProvisioningRequest) -> Answer:
    """Give the token a new value; the old one stops working at once.

    Refused: there is no such active token, or it has a right.
    """
    token = _token(request)
    value = token.rotate(_actor(request), judge=_check_carries_no_right)
    if value is None:
        raise Refused(Result.API_TOKEN_UNKNOWN)
    return _show(request, token) | {"accessToken": value}


def revoke(request: ProvisioningRequest) -> Answer:
    """Revoke the token, with effect from the next request.

    Refused: there is no such active token, or it has a right that the caller lacks.
    """
    _token(request).revoke(_actor(request), judge=_may_touch(request))
    return {}


OPERATIONS: dict[str, Callable[[ProvisioningRequest], Answer]] = {
    "create": create,
    "all": list_all,
    "update": update,
    "rotate": rotate,
    "revoke": revoke,
}
TAKES_NONE = frozenset({"all"})
"""Operations that accept a request without a body."""


def _actor(request: ProvisioningRequest) -> Actor:
    return Actor.api_token(request.caller)


def _may_touch(request: ProvisioningRequest) -> Callable[[ApiToken], None]:
    """A check that refuses a token which was revoked meanwhile, or has a right the caller lacks."""

    def check(token: ApiToken) -> None:
        if token.revoked_at is not None:
            raise Refused(Result.API_TOKEN_UNKNOWN)
        if not token.rights() <= request.caller.rights():
            raise Refused(Result.MANAGEMENT_NOT_ALLOWED)

    return check


def _check_carries_no_right(token: ApiToken) -> None:
    if token.rights():
        raise Refused(Result.MANAGEMENT_NOT_ALLOWED)


def _show(request: ProvisioningRequest, token: ApiToken) -> dict[str, Any]:
    """The token without its value. `apiServerId` is echoed as the caller sent it."""
    shown = {
        "organizationId": token.organization_id,
        "serviceId": token.service_id,
        "apiServerId": request.members.get("apiServerId"),
        "tokenId": str(token.pk),
        "description": token.description,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _service(request: ProvisioningRequest) -> Service | None:
    """The service of a service token; None: an organization token.

    Refused: `serviceId` is missing, or is not a service of the caller's organization.
    """
    if request.kind == "organization":
        return None
    number = _read(request, m.ASKED_SERVICE)
    if number is None:
        raise Refused(Result.BODY_UNREADABLE, "'serviceId' is missing.")
    organization = request.caller.organization_id
    rows = Service.objects.filter(organization_id=organization, deleted_at=None)
    service = rows.filter(pk=number).first()
    if service is None:
        raise Refused(Result.MANAGEMENT_NOT_ALLOWED)
    return service


def _tokens(request: ProvisioningRequest) -> Any:
    """The organization's tokens of this kind, of one service where `serviceId` is given."""
    rows: QuerySet[ApiToken] = ApiToken.objects.filter(
        organization_id=request.caller.organization_id, service__deleted_at=None
    )
    if request.kind == "organization":
        return rows.filter(service=None)
    if request.members.get("serviceId") is not None:
        return rows.filter(service=_service(request))
    return rows.exclude(service=None)


def _token(request: ProvisioningRequest) -> ApiToken:
    """The token of `tokenId`. Refused: the organization has no such active token of this kind."""
    token_id = _read(request, m.ASKED_API_TOKEN)
    if token_id is None:
        raise Refused(Result.BODY_UNREADABLE, "'tokenId' is missing.")
    token: ApiToken | None = _tokens(request).active(request.now).filter(pk=token_id).first()
    if token is None:
        raise Refused(Result.API_TOKEN_UNKNOWN)
    return token


def _read(request: ProvisioningRequest, member: Field) -> Any:
    """One member of the body; None where it is absent."""
    return read(request.members, [member]).get(member.name)


def check_organization(request: ProvisioningRequest) -> None:
    """Refuse a body with another organization than the caller's, or an invalid `apiServerId`.

    No operation uses `apiServerId` but to echo it, so it is checked here, before anything changes.
    """
    _read(request, m.API_SERVER)
    number = _read(request, m.ASKED_ORGANIZATION)
    if number not in (None, request.caller.organization_id):
        raise Refused(Result.MANAGEMENT_NOT_ALLOWED)
