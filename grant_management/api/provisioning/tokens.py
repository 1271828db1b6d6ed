"""API tokens of one organization: created, listed, described, rotated, revoked.

Nobody gives away here what they do not have, nor the right to manage tokens, which is given by
operators alone: a new token has no rights; who lacks a right touches no token that has it; and no
token that has any right is rotated, since its new value would carry the right out.
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
    """Who asks, for which kind of token, and with what. `kind` is `service` or `organization`."""

    caller: ApiToken
    kind: str
    members: Members
    now: datetime


def create(request: ProvisioningRequest) -> Answer:
    """A new token, with its value: this once. It cannot hand on the right to manage tokens."""
    token, value = ApiToken.objects.issue(
        organization=request.caller.organization,
        service=_service(request),
        description=_read(request, m.DESCRIPTION) or "",
        actor=_actor(request),
    )
    return _show(request, token) | {"accessToken": value}


def list_all(request: ProvisioningRequest) -> Answer:
    """All of this kind that are alive, without values; of one service, where it is named."""
    rows = _tokens(request).active(request.now).order_by("created_at")
    return [_show(request, token) for token in rows]


def update(request: ProvisioningRequest) -> Answer:
    """Another description."""
    token = _token(request)
    description = _read(request, m.DESCRIPTION)
    if description is not None:
        token.describe(description, _actor(request), _may_touch(request))
        token.description = description
    return _show(request, token)


def rotate(request: ProvisioningRequest) -> Answer:
    """A new value; the old one is dead from now on."""
    token = _token(request)
    value = token.rotate(_actor(request), judge=_check_carries_no_right)
    if value is None:
        raise Refused(Result.API_TOKEN_UNKNOWN)
    return _show(request, token) | {"accessToken": value}


def revoke(request: ProvisioningRequest) -> Answer:
    """Dead at the very next request."""
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
"""Operations for which no body at all is a request too."""


def _actor(request: ProvisioningRequest) -> Actor:
    return Actor.api_token(request.caller)


def _may_touch(request: ProvisioningRequest) -> Callable[[ApiToken], None]:
    """Refuses a token that died meanwhile, and one that has a right which the caller lacks."""

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
    """Without its value. `apiServerId` is whatever the caller sent."""
    shown = {
        "organizationId": token.organization_id,
        "serviceId": token.service_id,
        "apiServerId": request.members.get("apiServerId"),
        "tokenId": str(token.pk),
        "description": token.description,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _service(request: ProvisioningRequest) -> Service | None:
    """The service that a service token is for. Refused: it is not the organization's."""
    if request.kind == "organization":
        return None
    number = _read(request, m.ASKED_SERVICE)
    if number is None:
        raise Refused(Result.BODY_UNREADABLE, "'serviceId' is missing.")
    organization = request.caller.organization_id
    service = Service.objects.filter(organization_id=organization, pk=number).first()
    if service is None:
        raise Refused(Result.MANAGEMENT_NOT_ALLOWED)
    return service


def _tokens(request: ProvisioningRequest) -> Any:
    """The organization's tokens of this kind."""
    rows: QuerySet[ApiToken] = ApiToken.objects.filter(
        organization_id=request.caller.organization_id
    )
    if request.kind == "organization":
        return rows.filter(service=None)
    if request.members.get("serviceId") is not None:
        return rows.filter(service=_service(request))
    return rows.exclude(service=None)


def _token(request: ProvisioningRequest) -> ApiToken:
    """The one of `tokenId`. Refused: there is none alive, or it is another organization's."""
    token_id = _read(request, m.ASKED_API_TOKEN)
    if token_id is None:
        raise Refused(Result.BODY_UNREADABLE, "'tokenId' is missing.")
    token: ApiToken | None = _tokens(request).active(request.now).filter(pk=token_id).first()
    if token is None:
        raise Refused(Result.API_TOKEN_UNKNOWN)
    return token


def _read(request: ProvisioningRequest, member: Field) -> Any:
    """One member; None where it is absent."""
    return read(request.members, [member]).get(member.name)


def check_organization(request: ProvisioningRequest) -> None:
    """Refused where the body names another organization than the caller's, or an `apiServerId`
    that cannot be echoed.
    """
    _read(request, m.API_SERVER)
    number = _read(request, m.ASKED_ORGANIZATION)
    if number not in (None, request.caller.organization_id):
        raise Refused(Result.MANAGEMENT_NOT_ALLOWED)
