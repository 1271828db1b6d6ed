"""Creates, merges and replaces grants by authorization requests (draft §5)."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from ..db import clock, primary
from ..db.retry import retried
from ..fields import members as m
from ..fields.granted import grant_limits
from ..fields.numeric import Time, When
from ..models import (
    Actor,
    Client,
    EventKind,
    Grant,
    GrantStatus,
    Service,
)
from ..models.grant import UpdatedBy
from ..models.locks import hold_client
from ..protocol.content import Content
from ..protocol.results import INVALID_GRANT_ID, INVALID_REQUEST
from .issuing import TOKEN_BYTES
from .refusal import LifecycleError, check, check_there

T = TypeVar("T")


ENDS_AT = Time("expires_at", when=When.COMING).or_null()
"""The expiry of a grant: a time in the future, or None."""


class GrantAction(StrEnum):
    """What an authorization request can do to a grant (draft §5.2)."""

    CREATE = "create"
    MERGE = "merge"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Authorization:
    """A validated authorization request.

    `action` is None if the request has no grant management parameters. `grant_id` is "" unless the
    action is merge or replace.
    """

    client: Client
    subject: str | None
    action: GrantAction | None
    grant_id: str = ""


def begin(
    client: Client,
    subject: str | None,
    action: str,
    grant_id: str,
    *,
    confidential: bool = True,
) -> Authorization:
    """Validate the parameters of an authorization request (draft §5.2, §5.4).

    `action` is the value of `grant_management_action`; `action` and `grant_id` are "" if the
    request lacks them. `confidential` says whether the client authenticates itself: a public client
    may not use grant management (draft §5.1).

    Raises LifecycleError with `invalid_request` or `invalid_grant_id`. Send the error to the
    client.
    """
    check(m.SUBJECT.or_null(), subject)
    if not action and not grant_id:
        if client.service.action_required:
            raise LifecycleError(INVALID_REQUEST, "grant_management_action is required here.")
        return Authorization(client, subject, None)
    if not confidential:
        raise LifecycleError(INVALID_REQUEST, "Grant management is for confidential clients.")
    chosen = _chosen_action(client.service, action, grant_id)
    if chosen is not GrantAction.CREATE:
        grant = _find(Grant.objects.known, client, grant_id)
        _check_usable(grant, client, subject, clock.now())
    return Authorization(client, subject, chosen, grant_id)


@retried
def complete(
    authorization: Authorization,
    consented: Content,
    *,
    expires_at: datetime | None = None,
    active: bool = False,
    actor: Actor | None = None,
) -> Grant:
    """Create, merge or replace a grant, as the user consented to (draft §5.2, §5.6).

    A new grant is pending until `issue` makes its first token, unless `active` is true. If
    `expires_at` is None, a new grant does not expire, and a merge or replace leaves the expiry as
    it is. The event names the `actor`; the default is the client.

    Raises LifecycleError with `invalid_grant_id` if the grant is not active any more, and with
    `invalid_request` if it would hold more than a grant may, or if `expires_at` has passed.
    """
    check(m.SUBJECT.or_null(), authorization.subject)
    by = actor or Actor.client(authorization.client.client_id)
    if authorization.action in (None, GrantAction.CREATE):
        return _create(authorization, consented, by, expires_at=expires_at, pending=not active)
    client, merge = authorization.client, authorization.action is GrantAction.MERGE
    with primary.atomic():
        grant, now = _find(Grant.objects.locked, client, authorization.grant_id)
        _check_usable(grant, client, authorization.subject, now)
        to = grant.held().merged(consented) if merge else consented
        _check_content(consented, to)
        check(ENDS_AT, expires_at, now)
        grant.change(
            to,
            EventKind.MERGED if merge else EventKind.REPLACED,
            now,
            by,
            updated_by=UpdatedBy.CLIENT,
            **({} if expires_at is None else {"expires_at": expires_at}),
        )
    return grant


def _check_content(consented: Content, to: Content) -> None:
    """Check everything that was consented to, but only the size of what the grant would hold.

    What it held before was checked when it was written.
    """
    limits = grant_limits()
    try:
        consented.check()
        to.check_size(limits)
    except ValueError as error:
        raise LifecycleError(INVALID_REQUEST, str(error)) from None


def _chosen_action(service: Service, action: str, grant_id: str) -> GrantAction:
    """The action, if it is supported and may come with or without this grant_id (draft §5.4)."""
    if not action:
        raise LifecycleError(INVALID_REQUEST, "grant_id needs a grant_management_action.")
    if action not in GrantAction.__members__.values() or action not in service.actions_supported:
        raise LifecycleError(INVALID_REQUEST, "This grant_management_action is not supported.")
    chosen = GrantAction(action)
    if (chosen is GrantAction.CREATE) == bool(grant_id):
        wrong = "must not" if grant_id else "must"
        raise LifecycleError(INVALID_REQUEST, f"{action} {wrong} come with a grant_id.")
    return chosen


def _find(find: Callable[[Service, str], T], client: Client, grant_id: str) -> T:
    try:
        return find(client.service, grant_id)
    except Grant.DoesNotExist:
        raise _invalid_grant_id() from None


def _check_usable(grant: Grant, client: Client, subject: str | None, now: datetime) -> None:
    """Refuse with one error in every case: a client learns nothing about grants of others."""
    if not grant.is_owned_by(client, subject) or grant.status(now) is not GrantStatus.ACTIVE:
        raise _invalid_grant_id()


def _create(authorization: Authorization, consented: Content, actor: Actor, **fields: Any) -> Grant:
    with primary.atomic():
        client, now = hold_client(authorization.client)
        check_there(client)
        _check_content(consented, consented)
        check(ENDS_AT, fields["expires_at"], now)
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
        grant.record(EventKind.CREATED, now, actor, details=details)
    return grant


def _invalid_grant_id() -> LifecycleError:
    return LifecycleError(INVALID_GRANT_ID, "This client and user have no such grant.")
