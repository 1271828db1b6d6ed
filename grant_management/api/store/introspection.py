"""`/auth/introspection`: for resource servers that ask whether a request may go on."""

from datetime import datetime

from ...endpoint.access_token import check_active, find_access_token
from ...endpoint.challenge import challenge_by
from ...fields import members as m
from ...models import AccessToken, Grant, GrantStatus, RefreshToken
from ...protocol import times
from ...protocol.results import Refused, Result
from .answer import ActionRefused, Answer, compact, done
from .binding import action_of, verify_binding
from .grants import show_content
from .request import StoreRequest, Values

INTROSPECT = (m.ASKED_TOKEN, m.ASKED_SCOPES, m.SUBJECT, *m.PROOF)


def introspect(request: StoreRequest) -> Answer:
    """`/auth/introspection`: whether a request to a resource may go on.

    ActionRefused: it may not. Its members are what is known of the token, and in `responseContent`
    the challenge for the client (none where `token` is missing).
    """
    service, now = request.service, request.now
    values = request.values
    if "token" not in values:
        refusal = Refused(Result.STORE_REFUSED, "'token' is missing.")
        raise ActionRefused(refusal, "BAD_REQUEST")
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
        challenge = challenge_by(service, refusal, token, scope)
        more = answer | {"responseContent": challenge}
        raise ActionRefused(refusal, action_of(refusal), more) from None
    return done(answer | {"sufficient": True}, "OK")


def _facts(token: AccessToken, now: datetime) -> Answer:
    """The members that describe a token, active or not."""
    grant, ends = token.grant, token.ends_at()
    return compact(
        {
            "existent": True,
            "clientId": token.client_id,
            "subject": token.subject,
            "scopes": token.scopes.split(),
            "expiresAt": times.to_milliseconds(ends) if ends else None,
            "certificateThumbprint": token.x5t_s256,
            "grantId": grant.grant_id if grant else None,
            "grant": show_content(grant) if grant else None,
            "refreshable": grant is not None and _is_refreshable(grant, now),
        }
    )


def _is_refreshable(grant: Grant, now: datetime) -> bool:
    """Whether the grant has a refresh token that would be accepted now."""
    if grant.client.locked_at is not None or grant.status(now) is not GrantStatus.ACTIVE:
        return False
    rows = RefreshToken.objects.filter(service_id=grant.service_id, grant=grant, revoked_at=None)
    alive = rows.filter(generation=grant.refresh_generation).exclude(expires_at__lte=now)
    cut_off = grant.service.latest_cut_off(grant.client)
    return (alive if cut_off is None else alive.filter(issued_at__gte=cut_off)).exists()


def _check_sufficient(token: AccessToken, values: Values) -> None:
    missing = sorted(set(values.get("scopes", ())) - set(token.scopes.split()))
    if missing:
        raise Refused(Result.SCOPE_MISSING, f"'{missing[0]}'.")
    if values.get("subject", token.subject) != token.subject:
        raise Refused(Result.TOKEN_OF_OTHER_SUBJECT)
