"""Tokens that an authorization server revokes or deletes die here in the same transaction.

Each act is one event.

Two acts have no such event: tokens that the server replaces while it issues new ones, and tokens
that die because a rotated refresh token was reused, which the event of the reuse covers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final

from grant_management.db import clock, primary
from grant_management.models import (
    AccessToken,
    Actor,
    EventKind,
    GrantEvent,
    RefreshToken,
    Service,
    TokenStatus,
)
from grant_management.models.grant import CONTENT
from grant_management.models.token import Token

from .server import AuthorizationServer

AT_ONCE: Final = 500
"""Digests in one statement."""
ALIVE: Final = (TokenStatus.ACTIVE, TokenStatus.CLIENT_LOCKED)
"""The statuses of a token that is usable, or will be once its client is unlocked."""


class Deaths:
    """The tokens that die in one act at a server, by their digests. `actor` None: the server."""

    def __init__(self, server: AuthorizationServer, actor: Actor | None = None) -> None:
        self.server = server
        self.actor = actor or server.actor
        self._digests: dict[Any, set[bytes]] = {AccessToken: set(), RefreshToken: set()}

    def add(self, model: type[Token], digest: bytes) -> None:
        """Add the digest of a token."""
        self._digests[model].add(digest)

    def forget(self, model: type[Token]) -> None:
        """Remove all tokens of this kind: they do not die after all."""
        self._digests[model].clear()

    def happen(self, *, told: bool = True) -> None:
        """Revoke the tokens here. With `told`, one event records it where any of them was alive.

        Our tokens are locked after the server's rows, as everywhere in a bridge.
        """
        service = self.server.service_if_any() if any(self._digests.values()) else None
        if service is None:  # nothing was registered yet
            return
        with primary.atomic():
            now = clock.now()
            killed = [token for found in self._found(service) for token in _revoked(found, now)]
            if killed and told:
                self._record(service, now, killed)

    def _found(self, service: Service) -> Iterator[Any]:
        for model, digests in self._digests.items():
            ordered = sorted(digests)
            for start in range(0, len(ordered), AT_ONCE):
                some = ordered[start : start + AT_ONCE]
                yield model.objects.filter(service=service, digest__in=some, revoked_at=None)

    def _record(self, service: Service, now: datetime, killed: list[Token]) -> None:
        """The event names a client, subject or grant only where all of the tokens share it."""
        about: dict[str, set[Any]] = {
            "client_id": {token.client.client_id for token in killed},
            "subject": {token.subject for token in killed},
            "grant_id": {token.grant.grant_id if token.grant else "" for token in killed},
        }
        known = {name: values.pop() for name, values in about.items() if len(values) == 1}
        details = {"count": len(killed)}
        kind = EventKind.TOKENS_REVOKED
        GrantEvent.objects.record(
            kind, service.pk, at=now, actor=self.actor, details=details, **known
        )


_collecting: ContextVar[Deaths | None] = ContextVar("grant_management_deaths", default=None)


@contextmanager
def collected(server: AuthorizationServer, actor: Actor | None = None) -> Iterator[Deaths]:
    """Collect the tokens that die at the server inside the block.

    Nothing dies here until the caller calls `happen`.
    """
    deaths = Deaths(server, actor)
    before = _collecting.set(deaths)
    try:
        yield deaths
    finally:
        _collecting.reset(before)


def being_collected(server: AuthorizationServer) -> Deaths | None:
    """The `Deaths` of the server's `collected` block around this call; None: there is none."""
    found = _collecting.get()
    return found if found is not None and found.server == server else None


def of_call(server: AuthorizationServer, origin: Any) -> Deaths:
    """The tokens that one call of `delete` deletes; `origin` is what it was called on.

    In a `collected` block these are the block's. Otherwise they are kept on `origin`, until
    `end_call`.
    """
    collecting = being_collected(server)
    if collecting is not None:
        return collecting
    kept: Deaths = origin.__dict__.setdefault(_kept(server), Deaths(server))
    return kept


def end_call(server: AuthorizationServer, origin: Any) -> None:
    """Let the tokens of a call of `delete` die.

    Django sends every `pre_delete` of a call before its first `post_delete`: call this there.
    """
    dying = origin.__dict__.pop(_kept(server), None)
    if dying is not None:
        dying.happen()


def _kept(server: AuthorizationServer) -> str:
    """Each server has its own: deleting a user deletes tokens of all of them."""
    return f"_grant_management_deaths_{server.name}"


@contextmanager
def one_act(server: AuthorizationServer, actor: Actor) -> Iterator[Deaths]:
    """Tokens that die at the server inside the block die here at its end, by this actor.

    The block is one transaction.
    """
    with primary.atomic(), collected(server, actor) as deaths:
        yield deaths
        deaths.happen()


def _revoked(found: Any, now: datetime) -> list[Token]:
    """Revoke these rows, and return the tokens that were alive until now."""
    # A grant's content may be large, and is not needed. One order of locks avoids deadlocks.
    content = [f"grant__{name}" for name in CONTENT]
    joined = found.select_related("service", "client", "grant").defer(*content)
    tokens = list(joined.order_by("pk").select_for_update(of=("self",)))
    rows = found.model.objects.filter(pk__in=[token.pk for token in tokens])
    rows.revoke({token.service_id for token in tokens}, now)
    return [token for token in tokens if token.status(now) in ALIVE]
