"""Changes an access token that works: its expiry, its scopes, and what it is bound to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..db import primary
from ..db.retry import retried
from ..fields import members as m
from ..fields.granted import THUMBPRINT
from ..fields.numeric import Time, When
from ..models import AccessToken, Actor, EventKind, Grant, GrantEvent, TokenStatus
from ..models.locks import hold_client
from ..protocol.results import INVALID_GRANT, INVALID_TOKEN
from .refusal import LifecycleError, check, check_there

EXPIRES_AT = Time("expires_at", when=When.COMING).or_null()
SHOWN = ("scopes", "expires_at", "jkt", "x5t_s256")
"""The columns that can change. Its event has them before and after."""


@dataclass(frozen=True, slots=True)
class TokenChange:
    """The new values; None leaves one as it is.

    `scopes` are separated by spaces; `jkt` and `x5t_s256` are thumbprints. `duration` is seconds
    from now on. Of the expiries `never_expires` counts first, then `expires_at`.
    """

    scopes: str | None = None
    expires_at: datetime | None = None
    duration: int | None = None
    never_expires: bool = False
    jkt: str | None = None
    x5t_s256: str | None = None


@retried
def change_access_token(token: AccessToken, change: TokenChange, actor: Actor) -> AccessToken:
    """The token after the change, with one event; none where nothing changes.

    It ends with its grant at the latest. LifecycleError: `invalid_token` if it does not work any
    more, since nothing comes back to life; `invalid_grant` if its client is locked;
    `invalid_request` if a value is not acceptable.
    """
    with primary.atomic():
        held, now = _held(token)
        columns = _columns(held, change, now)
        before = _shown(held)
        for name, value in columns.items():
            setattr(held, name, value)
        after = _shown(held)
        if after != before:
            held.save(update_fields=list(columns))
            _record(held, now, actor, before, after)
    return held


def _held(token: AccessToken) -> tuple[AccessToken, datetime]:
    """The token, read under its lock. Locks are taken in the order of `models/locks.py`."""
    if token.grant is not None:
        try:
            grant, now = Grant.objects.locked(token.service, token.grant.grant_id)
        except Grant.DoesNotExist:  # purged
            raise _dead() from None
        client, of_grant = grant.client, grant
    else:
        client, now = hold_client(token.client)
        of_grant = None
    rows = AccessToken.objects.filter(service_id=token.service_id, pk=token.pk)
    held = rows.select_for_update().first()
    if held is None:
        raise _dead()
    held.know(client.service, client, of_grant)
    status = held.status(now)
    if status is TokenStatus.CLIENT_LOCKED:
        raise LifecycleError(INVALID_GRANT, "The client is locked.")
    if status is not TokenStatus.ACTIVE:
        raise _dead()
    check_there(client)
    return held, now


def _columns(token: AccessToken, change: TokenChange, now: datetime) -> dict[str, Any]:
    check(EXPIRES_AT, change.expires_at, now)
    columns: dict[str, Any] = {}
    if change.scopes is not None:
        check(m.TOKEN_SCOPES, change.scopes)
        columns["scopes"] = " ".join(m.TOKEN_SCOPES.read(change.scopes))
    for name in ("jkt", "x5t_s256"):
        value = getattr(change, name)
        if value is not None:
            check(THUMBPRINT, value)
            columns[name] = value
    return columns | _expiry(token, change, now)


def _expiry(token: AccessToken, change: TokenChange, now: datetime) -> dict[str, datetime | None]:
    if change.never_expires:
        end = None
    elif change.expires_at is not None:
        end = change.expires_at
    elif change.duration is not None:
        end = now + timedelta(seconds=change.duration)
    else:
        return {}
    ends = [end, token.grant.expires_at if token.grant else None]
    return {"expires_at": min((one for one in ends if one is not None), default=None)}


def _shown(token: AccessToken) -> dict[str, str | None]:
    ends = token.expires_at
    texts = {name: getattr(token, name) for name in SHOWN}
    return texts | {"expires_at": ends.isoformat() if ends else None}


def _record(
    token: AccessToken, now: datetime, actor: Actor, before: dict[str, Any], after: dict[str, Any]
) -> None:
    names = [name for name in SHOWN if before[name] != after[name]]
    details = {
        "token": token.digest_prefix,
        "before": {name: before[name] for name in names},
        "after": {name: after[name] for name in names},
    }
    about: dict[str, Any] = {"client_id": token.client.client_id, "subject": token.subject}
    if token.grant is not None:
        about["grant_id"] = token.grant.grant_id
    kind, number = EventKind.TOKEN_CHANGED, token.service_id
    GrantEvent.objects.record(kind, number, now, actor, details=details, **about)


def _dead() -> LifecycleError:
    return LifecycleError(INVALID_TOKEN, "There is no such active access token.")
