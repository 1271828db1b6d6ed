"""Issues and rotates tokens, with or without a grant; kills a family that is reused."""

import contextlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import IntegrityError

from ..db import primary
from ..db.retry import retried
from ..fields import members as m
from ..fields.granted import THUMBPRINT
from ..models import (
    AccessToken,
    Actor,
    Client,
    EventKind,
    Grant,
    GrantEvent,
    GrantStatus,
    RefreshToken,
    TokenStatus,
)
from ..models.locks import HeldToken, hold_client, hold_token
from ..protocol.digests import sha256
from ..protocol.results import INVALID_GRANT, INVALID_REQUEST, INVALID_SCOPE
from ..redaction import redacted
from .refusal import LifecycleError, check, check_there

TOKEN_BYTES = 32  # 43 characters in base64url
NEVER = -1
"""The duration of a token that does not expire before its grant does."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What the tokens are bound to: a key, a certificate, both or nothing.

    `jkt` (RFC 9449 §6.1) and `x5t_s256` (RFC 8705 §3.1) are SHA-256 thumbprints in base64url. Each
    may be "".
    """

    jkt: str = ""
    x5t_s256: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """The tokens to issue. `scopes` are separated by spaces.

    `access_token` and `refresh_token` are the values of the tokens. A value is generated if it is
    "". No refresh token is issued if `refresh_token` is None. Durations are seconds, or NEVER; None
    or 0 stands for the service's duration.

    If a code is redeemed, `consented` is the access generation that the grant had when the user
    consented: the code is refused if the grant was replaced or revoked since.
    """

    scopes: str = ""
    access_token: str = field(default="", repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    access_token_duration: int | None = None
    refresh_token_duration: int | None = None
    binding: Binding = Binding()
    consented: int | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """New tokens: their clear values, which are not stored, and their rows.

    `refresh_token` and `refresh` are None if no refresh token was issued.
    """

    access_token: str = field(repr=False)
    access: AccessToken
    refresh_token: str | None = field(default=None, repr=False)
    refresh: RefreshToken | None = None


class _Owner(NamedTuple):
    """Whose a token is. `grant` None: it belongs to no grant."""

    client: Client
    subject: str | None
    grant: Grant | None


@redacted
@retried
def issue(client: Client, subject: str | None, grant: Grant | None, order: Issue) -> Issued:
    """Issue tokens. They belong to `grant`, or to no grant if it is None.

    The first token makes a pending grant active.

    Raises LifecycleError with `invalid_grant` if the grant is dead, belongs to another client or
    subject, or was replaced since the consent, or if the client is locked; and with
    `invalid_request` if a token with this value exists already, or a value breaks a rule.
    """
    check(m.SUBJECT.or_null(), subject)
    _check_order(order)
    try:
        with primary.atomic():
            if grant is None:
                held, now = hold_client(client)
                _check_unlocked(held)
                return _insert(_Owner(held, subject, None), order, now)
            alive, now = _alive(grant, client, subject, order)
            return _insert(_Owner(alive.client, subject, alive), order, now)
    except IntegrityError:
        raise LifecycleError(INVALID_REQUEST, "A token with this value already exists.") from None


@redacted
@retried
def rotate(old: RefreshToken, order: Issue) -> Issued:
    """Exchange a refresh token for new tokens. The old one stops working.

    `order.scopes` narrows the access token alone; "" asks for all scopes (RFC 6749 §6). If the old
    token is used again, every refresh token of its grant is killed (RFC 9700 §4.14.2): the server
    cannot tell the thief from the client, even if both came at the same moment.

    Raises LifecycleError with `invalid_grant` if the old token is dead, with `invalid_scope` if it
    was issued for less, and with `invalid_request` if a token with this value exists already, or a
    value breaks a rule.
    """
    _check_order(order)
    # A receiver of `token_presented` may have set `revoked_at` on this object, and not in the row.
    if old.revoked_at is not None and old.rotated_at is None:
        raise _dead_refresh_token()
    try:
        with primary.atomic():
            held = hold_token(old)
            rotated = _rotated(held, order)
    except RefreshToken.DoesNotExist:
        raise _dead_refresh_token() from None
    except IntegrityError:
        raise LifecycleError(INVALID_REQUEST, "A token with this value already exists.") from None
    if rotated is None:  # raised after the commit, so that a reuse kills the family for good
        raise _dead_refresh_token()
    return rotated


def _rotated(held: HeldToken, order: Issue) -> Issued | None:
    """The new tokens; None: the token is dead. If it was used before, its family is killed."""
    token, now = held
    if token.rotated_at is not None:
        kill_family(held)
        return None
    if token.status(now) is not TokenStatus.ACTIVE:
        return None
    if not set(order.scopes.split()) <= set(token.scopes.split()):
        raise LifecycleError(INVALID_SCOPE, "The scope exceeds that of the refresh token.")
    RefreshToken.objects.filter(service_id=token.service_id, pk=token.pk).update(
        revoked_at=now, rotated_at=now
    )
    return _insert(_Owner(token.client, token.subject, token.grant), order, now, old=token)


def _check_order(order: Issue) -> None:
    check(m.TOKEN_SCOPES, order.scopes)
    for value in (order.access_token, order.refresh_token):
        check(m.TOKEN.or_null(), None if value == "" else value)
    for duration in (order.access_token_duration, order.refresh_token_duration):
        if duration != NEVER:
            check(m.LIFETIME.or_null(), duration)
    for thumbprint in (order.binding.jkt, order.binding.x5t_s256):
        check(THUMBPRINT.or_null(), None if thumbprint == "" else thumbprint)


def _alive(
    grant: Grant, client: Client, subject: str | None, order: Issue
) -> tuple[Grant, datetime]:
    """The grant, locked; a concurrent revoke waits or has been seen."""
    try:
        held, now = Grant.objects.locked(client.service, grant.grant_id)
    except Grant.DoesNotExist:  # never claimed, and purged
        raise _dead_grant() from None
    _check_unlocked(held.client)
    alive = held.status(now) in (GrantStatus.ACTIVE, GrantStatus.PENDING)
    consented = order.consented in (None, held.access_generation)
    if not (alive and consented and held.is_owned_by(client, subject)):
        raise _dead_grant()
    return held, now


def _check_unlocked(client: Client) -> None:
    check_there(client)
    if client.locked_at is not None:
        raise LifecycleError(INVALID_GRANT, "The client is locked.")


def _insert(owner: _Owner, order: Issue, now: datetime, old: RefreshToken | None = None) -> Issued:
    """Insert the tokens of an order. A refresh token that replaces `old` has its family and its
    scopes, however narrow the access token is (RFC 6749 §6).
    """
    asked, service, grant = _asked(order), owner.client.service, owner.grant
    _activate(grant)
    of_both = {"service": service, **owner._asdict(), **_stamps(order, now)}
    access = AccessToken(
        scopes=asked or (old.scopes if old else ""),
        expires_at=_end(now, order.access_token_duration or service.access_token_duration, grant),
        generation=grant.access_generation if grant else 0,
        **of_both,
    )
    value = _save(access, order.access_token)
    if order.refresh_token is None:
        return Issued(value, access)
    refresh = RefreshToken(
        scopes=old.scopes if old else asked,
        expires_at=_end(now, order.refresh_token_duration or service.refresh_token_duration, grant),
        generation=grant.refresh_generation if grant else 0,
        **of_both,
        **({"family": old.family} if old else {}),
    )
    return Issued(value, access, _save(refresh, order.refresh_token), refresh)


def _activate(grant: Grant | None) -> None:
    """A grant is pending until its first token, also one that was imported with a refresh token."""
    if grant is not None and grant.pending:
        grant.pending = False
        grant.save(force_update=True, update_fields=["pending"])


def _asked(order: Issue) -> str:
    """The scopes of an order, each once, separated by a space."""
    return " ".join(m.TOKEN_SCOPES.read(order.scopes))


def _stamps(order: Issue, now: datetime) -> dict[str, Any]:
    """What both tokens of an order have: when they were issued, and what they are bound to."""
    binding = order.binding
    return {"issued_at": now, "jkt": binding.jkt, "x5t_s256": binding.x5t_s256}


def _save(token: AccessToken | RefreshToken, value: str) -> str:
    """Insert a token with the digest of its clear value, generated if "". Returns the value."""
    clear = value or secrets.token_urlsafe(TOKEN_BYTES)
    token.digest = sha256(clear)
    token.save(force_insert=True)
    return clear


def _end(now: datetime, duration: int, grant: Grant | None) -> datetime | None:
    """When a token expires: with its grant at the latest. None: never."""
    ends = [None if duration == NEVER else now + timedelta(seconds=duration)]
    ends.append(grant.expires_at if grant else None)
    return min((end for end in ends if end is not None), default=None)


@retried
def report_reuse(old: RefreshToken) -> None:
    """Kill the family of a refresh token that was rotated and then used again.

    This is for callers that noticed the reuse themselves. Nothing happens if the token was not
    rotated, or if it was purged.
    """
    with primary.atomic(), contextlib.suppress(RefreshToken.DoesNotExist):  # purged
        held = hold_token(old)
        if held.token.rotated_at is not None:
            kill_family(held)


def kill_family(held: HeldToken) -> None:
    """Kill every refresh token of the grant or, without a grant, of the family; add the event.

    Called in the transaction that holds the lock. If they are dead already nothing is recorded.
    """
    token, now = held
    actor = Actor.client(token.client.client_id)
    if token.grant is not None:
        if token.generation == token.generation_of(token.grant):
            token.grant.kill_refresh_tokens(now, actor)
    elif token.relatives().revoke([token.service_id], now):
        about: dict[str, Any] = {"client_id": token.client.client_id, "subject": token.subject}
        GrantEvent.objects.record(
            EventKind.REFRESH_REUSED, token.service_id, at=now, actor=actor, **about
        )


def _dead_grant() -> LifecycleError:
    return LifecycleError(INVALID_GRANT, "The grant is not valid.")


def _dead_refresh_token() -> LifecycleError:
    return LifecycleError(INVALID_GRANT, "The refresh token is not valid.")
