"""`/auth/introspection`: for resource servers that ask whether a request may go on."""

from datetime import datetime
from typing import Any

from ..endpoint import challenge_of
from ..introspection import check_active, find_access_token
from ..members import text
from ..models import AccessToken, RefreshToken, Service
from ..protocol.results import Refused, Result
from ..serializers import read
from .binding import PROOF, VALUE, action_of, verify_binding
from .grants import show_content
from .reading import (
    Answer,
    Members,
    compact,
    done,
    refused,
    scope_names_of,
    strings,
    to_milliseconds,
)


def introspect(service: Service, members: Members, now: datetime) -> Answer:
    """`/auth/introspection`: whether a request to a resource may go on."""
    asked = {"token": VALUE, "scopes": strings, "subject": text(255)}
    values = read(members, asked | PROOF)
    if "token" not in values:
        return refused(Refused(Result.STORE_REFUSED, "'token' is missing."), "BAD_REQUEST")
    token: AccessToken | None = None
    answer: Answer = {"existent": False, "usable": False, "sufficient": False}
    try:
        token = find_access_token(service, values["token"])
        answer |= _facts(token, now)
        check_active(token, now)
        answer["usable"] = True
        if service.track_last_used:
            token.mark_used(now)
        verify_binding(token, values, now, answer)
        _check_sufficient(token, values)
    except Refused as refusal:
        missing = refusal.result is Result.SCOPE_MISSING
        scope = " ".join(values["scopes"]) if missing else ""
        challenge = challenge_of(refusal, service, token, scope)
        return compact(
            refused(refusal, action_of(refusal)) | answer | {"responseContent": challenge}
        )
    return done(answer | {"sufficient": True}, "OK")


def _facts(token: AccessToken, now: datetime) -> Answer:
    """What a token is, whether it is alive or not."""
    grant = token.grant
    return compact(
        {
            "existent": True,
            "clientId": token.client_id,
            "subject": token.subject,
            "scopes": token.scopes.split(),
            "expiresAt": to_milliseconds(token.expires_at) if token.expires_at else None,
            "certificateThumbprint": token.x5t_s256,
            "grantId": grant.grant_id if grant else None,
            "grant": show_content(grant) if grant else None,
            "refreshable": grant is not None and _has_refresh_token(token, now),
        }
    )


def _has_refresh_token(token: AccessToken, now: datetime) -> bool:
    rows = RefreshToken.objects.filter(service_id=token.service_id, grant=token.grant)
    alive = rows.filter(revoked_at=None).exclude(expires_at__lte=now)
    return alive.filter(generation=token.grant.refresh_generation if token.grant else 0).exists()


def _check_sufficient(token: AccessToken, values: dict[str, Any]) -> None:
    missing = sorted(set(scope_names_of(values.get("scopes"))) - set(token.scopes.split()))
    if missing:
        raise Refused(Result.SCOPE_MISSING, f"'{missing[0]}'.")
    if values.get("subject", token.subject) != token.subject:
        raise Refused(Result.TOKEN_OF_OTHER_SUBJECT)
