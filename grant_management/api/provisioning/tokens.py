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
class Call:
    """Who asks, for which kind of token, and with what. `kind` is `service` or `organization`."""

    caller: ApiToken
    kind: str
    members: Members
    now: datetime


def create(call: Call) -> Answer:
    """A new token, with its value: this once. It cannot hand on the right to manage tokens."""
    token, value = ApiToken.objects.issue(
        organization=call.caller.organization,
        service=_service(call),
        description=_read(call, m.DESCRIPTION) or "",
        actor=_actor(call),
    )
    return _show(call, token) | {"accessToken": value}


def list_all(call: Call) -> Answer:
    """All of this kind that are alive, without values; of one service, where it is named."""
    rows = _tokens(call).active(call.now).order_by("created_at")
    return [_show(call, token) for token in rows]


def update(call: Call) -> Answer:
    """Another description."""
    token = _token(call)
    description = _read(call, m.DESCRIPTION)
    if description is not None:
        token.describe(description, _actor(call), _may_touch(call))
        token.description = description
    return _show(call, token)


def rotate(call: Call) -> Answer:
    """A new value; the old one is dead from now on."""
    token = _token(call)
    value = token.rotate(_actor(call), judge=_check_carries_no_right)
    if value is None:
        raise Refused(Result.API_TOKEN_UNKNOWN)
    return _show(call, token) | {"accessToken": value}


def revoke(call: Call) -> Answer:
    """Dead at the very next request."""
    _token(call).revoke(_actor(call), judge=_may_touch(call))
    return {}


OPERATIONS: dict[str, Callable[[Call], Answer]] = {
    "create": create,
    "all": list_all,
    "update": update,
    "rotate": rotate,
    "revoke": revoke,
}
TAKES_NONE = frozenset({"all"})
"""Operations for which no body at all is a request too."""


def _actor(call: Call) -> Actor:
    return Actor.api_token(call.caller)


def _may_touch(call: Call) -> Callable[[ApiToken], None]:
    """Refuses a token that died meanwhile, and one that has a right which the caller lacks."""

    def check(token: ApiToken) -> None:
        if token.revoked_at is not None:
            raise Refused(Result.API_TOKEN_UNKNOWN)
        if not token.rights() <= call.caller.rights():
            raise Refused(Result.MANAGEMENT_NOT_ALLOWED)

    return check


def _check_carries_no_right(token: ApiToken) -> None:
    if token.rights():
        raise Refused(Result.MANAGEMENT_NOT_ALLOWED)


def _show(call: Call, token: ApiToken) -> dict[str, Any]:
    """Without its value. `apiServerId` is whatever the caller sent."""
    shown = {
        "organizationId": token.organization_id,
        "serviceId": token.service_id,
        "apiServerId": call.members.get("apiServerId"),
        "tokenId": str(token.pk),
        "description": token.description,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _service(call: Call) -> Service | None:
    """The service that a service token is for. Refused: it is not the organization's."""
    if call.kind == "organization":
        return None
    number = _read(call, m.ASKED_SERVICE)
    if number is None:
        raise Refused(Result.BODY_UNREADABLE, "'serviceId' is missing.")
    organization = call.caller.organization_id
    service = Service.objects.filter(organization_id=organization, pk=number).first()
    if service is None:
        raise Refused(Result.MANAGEMENT_NOT_ALLOWED)
    return service


def _tokens(call: Call) -> Any:
    """The organization's tokens of this kind."""
    rows: QuerySet[ApiToken] = ApiToken.objects.filter(organization_id=call.caller.organization_id)
    if call.kind == "organization":
        return rows.filter(service=None)
    if call.members.get("serviceId") is not None:
        return rows.filter(service=_service(call))
    return rows.exclude(service=None)


def _token(call: Call) -> ApiToken:
    """The one of `tokenId`. Refused: there is none alive, or it is another organization's."""
    token_id = _read(call, m.ASKED_API_TOKEN)
    if token_id is None:
        raise Refused(Result.BODY_UNREADABLE, "'tokenId' is missing.")
    token: ApiToken | None = _tokens(call).active(call.now).filter(pk=token_id).first()
    if token is None:
        raise Refused(Result.API_TOKEN_UNKNOWN)
    return token


def _read(call: Call, member: Field) -> Any:
    """One member; None where it is absent."""
    return read(call.members, [member]).get(member.name)


def check_organization(call: Call) -> None:
    """Refused where the body names another organization than the caller's, or an `apiServerId`
    that cannot be echoed.
    """
    _read(call, m.API_SERVER)
    number = _read(call, m.ASKED_ORGANIZATION)
    if number not in (None, call.caller.organization_id):
        raise Refused(Result.MANAGEMENT_NOT_ALLOWED)
