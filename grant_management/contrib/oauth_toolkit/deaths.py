"""Tokens that die at the toolkit die here, in the same transaction; one event tells of each act.

What the toolkit takes away while it issues tokens is no act of its own, and what dies because a
rotated refresh token came again is told by the event of that.
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
ALIVE: Final = (TokenStatus.ACTIVE, TokenStatus.CLIENT_LOCKED)
"""What a token is that could be used, or could be again."""


class Deaths:
    """Tokens that die in one act, by their digests, and who does it."""

    def __init__(self, actor: Actor = bridge.ACTOR) -> None:
        self.actor = actor
        self._digests: dict[Any, set[bytes]] = {AccessToken: set(), RefreshToken: set()}

    def add(self, model: type[Token], digest: bytes) -> None:
        """One more."""
        self._digests[model].add(digest)

    def forget(self, model: type[Token]) -> None:
        """Those of this kind do not die after all."""
        self._digests[model].clear()

    def happen(self, *, told: bool = True) -> None:
        """They are dead here; an event says so, where one of them was alive and it is to be told.

        Tokens are locked after the toolkit's rows, as everywhere in the bridge.
        """
        service = bridge.service_if_any() if any(self._digests.values()) else None
        if service is None:
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
        """About whom, where it is about one client, subject or grant alone."""
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
    """Whatever dies at the toolkit meanwhile; it is the caller's to let it happen."""
    deaths = Deaths(actor)
    before = _collecting.set(deaths)
    try:
        yield deaths
    finally:
        _collecting.reset(before)


def being_collected() -> Deaths | None:
    """What `collected` gave to whoever is at work; None: nobody collects."""
    return _collecting.get()


@contextmanager
def one_act(actor: Actor) -> Iterator[Deaths]:
    """Whatever dies at the toolkit meanwhile dies here at the end of it, by this actor."""
    with primary.atomic(), collected(actor) as deaths:
        yield deaths
        deaths.happen()


def _revoked(found: Any, now: datetime) -> list[Token]:
    """Those that this call killed."""
    content = [f"grant__{name}" for name in CONTENT]
    joined = found.select_related("service", "client", "grant").defer(*content)
    tokens = list(joined.order_by("pk").select_for_update(of=("self",)))
    found.model.objects.filter(pk__in=[token.pk for token in tokens]).revoke(now)
    return [token for token in tokens if token.status(now) in ALIVE]
