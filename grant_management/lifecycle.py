"""The grant's life, for any authorization server in Python: begin, complete; issue, rotate.

`begin` validates an authorization request, before the user is asked. `complete` writes what the
user consented to. `issue` and `rotate` make the tokens that belong to the grant. Each holds in
the middle of a revoke: the revoke wins, and no token outlives it.
"""

import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, transaction

from .models import (
    AccessToken,
    Actor,
    Client,
    EventKind,
    Grant,
    GrantStatus,
    RefreshToken,
    Service,
    TokenStatus,
)
from .models.grant import UpdatedBy
from .protocol.content import Content
from .protocol.digests import sha256
from .protocol.results import INVALID_GRANT_ID, INVALID_REQUEST

TOKEN_BYTES = 32
NEVER = -1
"""The duration of a token that does not expire."""


class GrantAction(StrEnum):
    """What an authorization request can do to a grant (draft §5.2)."""

    CREATE = "create"
    MERGE = "merge"
    REPLACE = "replace"


class LifecycleError(Exception):
    """Refused. `error` is the code of RFC 6749 or the draft that goes to the client."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization request that is valid so far. `action` None: it asked for nothing here."""

    client: Client
    subject: str | None
    action: GrantAction | None
    grant_id: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """What the tokens are bound to: thumbprints of a key and a certificate, or ""."""

    jkt: str = ""
    x5t_s256: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """The tokens to issue. Values that are "" are made; durations None or 0 are the service's.

    A refresh token whose `refresh_token` is None is not issued. Durations are seconds, or NEVER.
    `family` is that of the refresh tokens that this one follows; None: a new one.
    """

    scopes: str = ""
    access_token: str = ""
    refresh_token: str | None = None
    access_token_duration: int | None = None
    refresh_token_duration: int | None = None
    binding: Binding = Binding()
    family: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """New tokens: their clear values, which are kept nowhere, and their rows."""

    access_token: str
    access: AccessToken
    refresh_token: str | None = None
    refresh: RefreshToken | None = None


def begin(
    client: Client,
    subject: str | None,
    action: str,
    grant_id: str,
    now: datetime,
    *,
    confidential: bool = True,
) -> Authorization:
    """The authorization request behind these parameters; "" is absent (draft §5.2, §5.4).

    LifecycleError `invalid_request` or `invalid_grant_id`: what to send to the client.
    """
    if not action and not grant_id:
        if client.service.action_required:
            raise LifecycleError(INVALID_REQUEST, "grant_management_action is required here.")
        return Authorization(client, subject, None)
    if not confidential:
        raise LifecycleError(INVALID_REQUEST, "Grant management is for confidential clients.")
    chosen = _chosen_action(client.service, action, grant_id)
    if chosen is not GrantAction.CREATE:
        _check_usable(_find(Grant.objects.known, client, grant_id), client, subject, now)
    return Authorization(client, subject, chosen, grant_id)


def complete(
    authorization: Authorization,
    consented: Content,
    now: datetime,
    *,
    expires_at: datetime | None = None,
    active: bool = False,
) -> Grant:
    """The grant, with what the user consented to (draft §5.2, §5.6).

    A new one is pending until `issue`, unless `active`. LifecycleError `invalid_grant_id`: it
    died since `begin`.
    """
    if authorization.action in (None, GrantAction.CREATE):
        return _create(authorization, consented, now, expires_at=expires_at, pending=not active)
    client, merge = authorization.client, authorization.action is GrantAction.MERGE
    with transaction.atomic():
        grant = _find(Grant.objects.locked, client, authorization.grant_id)
        _check_usable(grant, client, authorization.subject, now)
        held = Content.stored(grant.scopes, grant.claims, grant.authorization_details)
        grant.change(
            held.merged(consented) if merge else consented,
            EventKind.MERGED if merge else EventKind.REPLACED,
            now,
            Actor.client(client.client_id),
            updated_by=UpdatedBy.CLIENT,
            **({} if expires_at is None else {"expires_at": expires_at}),
        )
    return grant


def issue(
    client: Client, subject: str | None, grant: Grant | None, order: Issue, now: datetime
) -> Issued:
    """New tokens, of a grant or of none; the first ones make their grant active.

    LifecycleError `invalid_grant`: the grant died, or the client is locked; `invalid_request`: a
    value is known already.
    """
    if client.locked_at is not None:
        raise LifecycleError("invalid_grant", "The client is locked.")
    try:
        with transaction.atomic():
            held = None if grant is None else _alive(grant, client, subject, now)
            return _insert(client, subject, held, order, now)
    except IntegrityError:
        raise LifecycleError(INVALID_REQUEST, "A token of this value is known already.") from None


def rotate(old: RefreshToken, order: Issue, now: datetime) -> Issued:
    """New tokens for a refresh token, which is dead from then on.

    Using it again kills every refresh token of its grant (RFC 9700 §4.14.2): nobody can tell the
    thief from the client, also not where both came at the same moment.

    LifecycleError `invalid_grant`: it is dead. `invalid_scope`: more than it was issued for.
    """
    if old.rotated_at is not None:
        _kill_family(old, now)
        raise _dead_refresh_token()
    if old.status(now) is not TokenStatus.ACTIVE:
        raise _dead_refresh_token()
    if not set(order.scopes.split()) <= set(old.scopes.split()):
        raise LifecycleError("invalid_scope", "The refresh token was issued for less.")
    with transaction.atomic():
        grant = None if old.grant is None else _alive(old.grant, old.client, old.subject, now)
        rows = RefreshToken.objects.filter(
            service_id=old.service_id, pk=old.pk, revoked_at=None, rotated_at=None
        )
        if rows.update(revoked_at=now, rotated_at=now):
            order = replace(order, family=old.family)
            return _insert(old.client, old.subject, grant, order, now)
    _kill_family(old, now)
    raise _dead_refresh_token()


def _chosen_action(service: Service, action: str, grant_id: str) -> GrantAction:
    """The matrix of action and grant_id (draft §5.4)."""
    if not action:
        raise LifecycleError(INVALID_REQUEST, "grant_id needs a grant_management_action.")
    if action not in GrantAction.__members__.values() or action not in service.actions_supported:
        raise LifecycleError(INVALID_REQUEST, "This grant_management_action is not supported.")
    chosen = GrantAction(action)
    if (chosen is GrantAction.CREATE) == bool(grant_id):
        wrong = "must not" if grant_id else "must"
        raise LifecycleError(INVALID_REQUEST, f"{action} {wrong} come with a grant_id.")
    return chosen


def _find(find: Any, client: Client, grant_id: str) -> Grant:
    try:
        grant: Grant = find(client.service, grant_id)
    except Grant.DoesNotExist:
        raise _invalid_grant_id() from None
    return grant


def _check_usable(grant: Grant, client: Client, subject: str | None, now: datetime) -> None:
    """One answer for all that is wrong: a client learns nothing of grants that are not its own."""
    if not grant.is_owned_by(client, subject) or grant.status(now) is not GrantStatus.ACTIVE:
        raise _invalid_grant_id()


def _create(
    authorization: Authorization, consented: Content, now: datetime, **fields: Any
) -> Grant:
    client = authorization.client
    with transaction.atomic():
        grant = Grant(
            service=client.service,
            client=client,
            grant_id=secrets.token_urlsafe(TOKEN_BYTES),
            subject=authorization.subject,
            created_at=now,
            updated_by=UpdatedBy.CLIENT,
            **consented.texts(),
            **fields,
        )
        grant.save(force_insert=True)
        details = {"before": "{}", "after": grant.content()}
        grant.record(EventKind.CREATED, now, Actor.client(client.client_id), details=details)
    return grant


def _alive(grant: Grant, client: Client, subject: str | None, now: datetime) -> Grant:
    """The grant, locked and active from now on; a revoke waits, or came before."""
    held = Grant.objects.locked(client.service, grant.grant_id)
    alive = held.status(now) in (GrantStatus.ACTIVE, GrantStatus.PENDING)
    if not alive or not held.is_owned_by(client, subject):
        raise LifecycleError("invalid_grant", "The grant is not alive.")
    if held.pending:
        held.pending = False
        held.save(force_update=True, update_fields=["pending"])
    return held


def _insert(
    client: Client, subject: str | None, grant: Grant | None, order: Issue, now: datetime
) -> Issued:
    service = client.service
    shared = {
        "service": service,
        "client": client,
        "grant": grant,
        "subject": subject,
        "scopes": " ".join(sorted(set(order.scopes.split()))),
        "issued_at": now,
        "jkt": order.binding.jkt,
        "x5t_s256": order.binding.x5t_s256,
    }
    access = AccessToken(
        expires_at=_end(now, order.access_token_duration or service.access_token_duration),
        generation=grant.access_generation if grant else 0,
        **shared,
    )
    value = _save(access, order.access_token)
    if order.refresh_token is None:
        return Issued(value, access)
    refresh = RefreshToken(
        expires_at=_end(now, order.refresh_token_duration or service.refresh_token_duration),
        generation=grant.refresh_generation if grant else 0,
        **shared,
        **({"family": order.family} if order.family else {}),
    )
    return Issued(value, access, _save(refresh, order.refresh_token), refresh)


def _save(token: AccessToken | RefreshToken, value: str) -> str:
    """The clear value, of which the row has the digest; made where there is none yet."""
    clear = value or secrets.token_urlsafe(TOKEN_BYTES)
    token.digest = sha256(clear)
    token.save(force_insert=True)
    return clear


def _end(now: datetime, duration: int) -> datetime | None:
    return None if duration == NEVER else now + timedelta(seconds=duration)


def _kill_family(token: RefreshToken, now: datetime) -> None:
    """Every refresh token of the grant; of one without a grant, all that it became."""
    if token.grant is None:
        token.revoke_family(now)
    else:
        token.grant.kill_refresh_tokens(now, Actor.client(token.client.client_id))


def _invalid_grant_id() -> LifecycleError:
    return LifecycleError(INVALID_GRANT_ID, "There is no such grant of this client and user.")


def _dead_refresh_token() -> LifecycleError:
    return LifecycleError("invalid_grant", "The refresh token is not valid.")
