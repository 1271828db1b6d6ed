"""RFC 7662 and RFC 7009 over the same store: a form in, JSON out, authenticated by API token."""

from typing import Any

from ...fields import members as m
from ...models import AccessToken, RefreshToken, TokenStatus
from ...models.token_revocation import revoke_token
from ...protocol import times
from ...protocol.results import Refused, Result
from .answer import Answer, compact
from .request import StoreRequest

TOKEN = (m.ASKED_TOKEN, m.TOKEN_TYPE_HINT)
_KINDS: dict[str, Any] = {"access_token": AccessToken, "refresh_token": RefreshToken}


def introspect(request: StoreRequest) -> Answer:
    """`/introspect` (RFC 7662 §2): the members of an active token, else only `active`: false."""
    found = _find(request)
    if found is None or found.status(request.now) is not TokenStatus.ACTIVE:
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


def revoke(request: StoreRequest) -> Answer:
    """`/revoke` (RFC 7009 §2): revoke the token, and with a refresh token its rotation family.

    An unknown token gets the same answer (§2.2). The grant is not revoked.
    """
    found = _find(request)
    if found is not None:
        revoke_token(found, request.caller)
    return {}


def _token_type(token: AccessToken | RefreshToken) -> str | None:
    if isinstance(token, RefreshToken):
        return None
    return "DPoP" if token.jkt else "Bearer"


def _find(request: StoreRequest) -> AccessToken | RefreshToken | None:
    """The token of this value. The hint says only which kind to look for first (RFC 7009 §2.1)."""
    value = request.values.get("token")
    if value is None:
        raise Refused(Result.BODY_UNREADABLE, "'token' is missing.")
    kinds = list(_KINDS.values())
    if request.values.get("token_type_hint") == "refresh_token":
        kinds.reverse()
    for model in kinds:
        try:
            found: AccessToken | RefreshToken = model.objects.presented(request.service, value)
        except model.DoesNotExist:
            continue
        return found
    return None
