"""Hands SETs to a receiver who fetches them (RFC 8936)."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from ..db import clock
from ..models import Stream, StreamDelivery
from .security_events import tokens_of

FETCHED_AT_ONCE: Final = 100
"""SETs in an answer, at most: each is signed for it."""


def confirm(stream: Stream, received: Collection[str], refused: Collection[str]) -> None:
    """Take what the receiver has, and what it refuses, out of what waits; others are ignored."""
    now = clock.now()
    StreamDelivery.objects.acknowledge(stream, _keys(received), now)
    StreamDelivery.objects.refuse(stream, _keys(refused), now)


def fetch(stream: Stream, most: int) -> tuple[dict[str, str], bool]:
    """SETs that wait, by `jti`, and whether there are more. They wait until they are confirmed.

    CannotDecrypt: the service's key cannot be used.
    """
    most = min(most, FETCHED_AT_ONCE)
    rows = list(StreamDelivery.objects.pollable(stream)[:most]) if most else []
    for row in rows:
        row.stream = stream
    found = tokens_of(rows)
    if purged := [row.pk for row in rows if row.pk not in found]:
        StreamDelivery.objects.refuse(stream, purged, clock.now())
    waiting = StreamDelivery.objects.waiting_for(stream).values_list("pk", flat=True)
    has_more = len(waiting[: len(found) + 1]) > len(found)
    return {str(key): token for key, token in found.items()}, has_more


def _keys(texts: Collection[str]) -> list[UUID]:
    """The keys of these `jti`s; those that are no UUIDs are nobody's."""
    keys = []
    for text in texts:
        try:
            keys.append(UUID(text))
        except ValueError:
            continue
    return keys
