"""RFC 7662 and RFC 7009 over the same store: a form in, JSON out, authenticated by API token."""

from typing import Any

from ...models import AccessToken, RefreshToken, Service, TokenStatus
from ...models.token_revocation import revoke_token
from ...protocol import times
from ...protocol.results import Refused, Result
from .reading import Answer, Call, Members, compact

_KINDS: dict[str, Any] = {"access_token": AccessToken, "refresh_token": RefreshToken}


def introspect(call: Call) -> Answer:
    """`/introspect` (RFC 7662 §2): what the token is, if it is alive; else that it is not."""
    found = _find(call.service, call.members)
    if found is None or found.status(call.now) is not TokenStatus.ACTIVE:
        return {"active": False}
    ends = found.ends_at()
    cnf = compact({"jkt": found.jkt, "x5t#S256": found.x5t_s256})
    return {
        "active": True,
        **compact(
            {
                "scope": found.scopes,
                "client_id": found.client.client_id,
                "sub": found.subject,
                "token_type": _token_type(found),
                "iat": times.to_seconds(found.issued_at),
                "exp": times.to_seconds(ends) if ends else None,
                "cnf": cnf or None,
                "grant_id": found.grant.grant_id if found.grant else None,
            }
        ),
    }


def revoke(call: Call) -> Answer:
    """`/revoke` (RFC 7009 §2): the token is dead, if it was there, and so is what a refresh token
    became. Its grant lives.
    """
    found = _find(call.service, call.members)
    if found is not None:
        revoke_token(found, call.caller)
    return {}


def _token_type(token: AccessToken | RefreshToken) -> str | None:
    if isinstance(token, RefreshToken):
        return None
    return "DPoP" if token.jkt else "Bearer"


def _find(service: Service, members: Members) -> AccessToken | RefreshToken | None:
    """By value; the hint says where to look first, and no more (RFC 7009 §2.1)."""
    value = members.get("token")
    if not isinstance(value, str) or not value:
        raise Refused(Result.BODY_UNREADABLE, "'token' is missing.")
    kinds = list(_KINDS.values())
    if members.get("token_type_hint") == "refresh_token":
        kinds.reverse()
    for model in kinds:
        try:
            found: AccessToken | RefreshToken = model.objects.presented(service, value)
        except model.DoesNotExist:
            continue
        return found
    return None
