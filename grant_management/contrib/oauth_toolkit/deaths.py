"""Tokens that the toolkit revokes or deletes die here in the same transaction; an act is one event.

Two acts have no such event: tokens that the toolkit replaces while it issues new ones, and tokens
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

from . import bridge

AT_ONCE: Final = 500
"""Digests in one statement."""
ALIVE: Final = (TokenStatus.ACTIVE, TokenStatus.CLIENT_LOCKED)
"""The statuses of a token that is usable, or will be once its client is unlocked."""


class Deaths:
    """The tokens that die in one act, by their digests, and the actor."""

    def __init__(self, actor: Actor = bridge.ACTOR) -> None:
        self.actor = actor
        self._digests: dict[Any, set[bytes]] = {AccessToken: set(), RefreshToken: set()}

    def add(self, model: type[Token], digest: bytes) -> None:
        """Add the digest of a token."""
        self._digests[model].add(digest)

    def forget(self, model: type[Token]) -> None:
        """Remove all tokens of this kind: they do not die after all."""
        self._digests[model].clear()

    def happen(self, *, told: bool = True) -> None:
        """Revoke the tokens here. With `told`, one event records it where any of them was alive.

        Our tokens are locked after the toolkit's rows, as everywhere in the bridge.
        """
        service = bridge.service_if_any() if any(self._digests.values()) else None
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
def collected(actor: Actor = bridge.ACTOR) -> Iterator[Deaths]:
    """Collect the tokens that die at the toolkit inside the block.

    Nothing dies here until the caller calls `happen`.
    """
    deaths = Deaths(actor)
    before = _collecting.set(deaths)
    try:
        yield deaths
    finally:
        _collecting.reset(before)


def being_collected() -> Deaths | None:
    """The `Deaths` of the `collected` block around this call; None: there is none."""
    return _collecting.get()


@contextmanager
def one_act(actor: Actor) -> Iterator[Deaths]:
    """Tokens that die at the toolkit inside the block die here at its end, by this actor.

    The block is one transaction.
    """
    with primary.atomic(), collected(actor) as deaths:
        yield deaths
        deaths.happen()


def _revoked(found: Any, now: datetime) -> list[Token]:
    """Revoke these rows, and return the tokens that were alive until now."""
    # A grant's content may be large, and is not needed. One order of locks avoids deadlocks.
    content = [f"grant__{name}" for name in CONTENT]
    joined = found.select_related("service", "client", "grant").defer(*content)
    tokens = list(joined.order_by("pk").select_for_update(of=("self",)))
    found.model.objects.filter(pk__in=[token.pk for token in tokens]).revoke(now)
    return [token for token in tokens if token.status(now) in ALIVE]
