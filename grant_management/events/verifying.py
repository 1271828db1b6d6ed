"""Verifies the hash chain of a service's events, and names the rows that are not as they were."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from ..conf import app_settings
from ..db.ids import first_uuid7
from ..models import EventChain, EventLink, GrantEvent, OutboxEntry
from ..models.event_chain import members_of
from ..protocol import times
from ..protocol.event_chain import (
    CHECKPOINT,
    HEAD,
    Head,
    NotSigned,
    event_digest,
    link_digest,
    verify,
)

READ_AT_ONCE: Final = 500
LATE: Final = timedelta(days=1)
"""How much older than a head an event behind it may be: links are made behind the events."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that is not as it was. `position`: its place in the chain; None: it has none."""

    what: str
    position: int | None = None
    event: UUID | None = None

    def __str__(self) -> str:
        place = "" if self.position is None else f" at position {self.position}"
        return f"{self.what}{place}" + ("" if self.event is None else f": event {self.event}")


CHANGED: Final = "The event was changed"
REMOVED: Final = "The event was removed"
LINK_REMOVED: Final = "An event and its link were removed"
MOVED: Final = "The link was changed or moved"
INSERTED: Final = "The event was inserted"
END_REMOVED: Final = "The chain ends too early"
CHECKPOINT_FORGED: Final = "The checkpoint of the purge is not signed by a known key"
HEAD_UNKNOWN: Final = "The head is not signed by a known key, or is another service's"
HEAD_DIFFERS: Final = "The chain differs from the exported head"
BACKDATED: Final = "The event is from long before the head, but was added after it"
HEAD_PURGED: Final = "The exported head was purged: take a later one"


def findings(chain: EventChain, head: str = "") -> Iterator[Finding]:
    """What is wrong with a chain, in a snapshot of the database. `head`: one that was exported."""
    yield from _of_checkpoint(chain)
    yield from _of_links(chain)
    yield from _inserted(chain)
    if head:
        yield from _of_head(chain, head)


def _of_checkpoint(chain: EventChain) -> Iterator[Finding]:
    """Without keys nothing is signed; with keys everything that was purged is."""
    if not chain.purged_position or not app_settings.event_signing_keys:
        return
    expected = Head(chain.service_id, chain.purged_position, bytes(chain.purged_digest))
    try:
        if verify(chain.checkpoint, CHECKPOINT, app_settings.event_signing_keys) == expected:
            return
    except NotSigned:
        pass
    yield Finding(CHECKPOINT_FORGED, chain.purged_position)


def _of_links(chain: EventChain) -> Iterator[Finding]:
    before, position, known = bytes(chain.purged_digest), chain.purged_position, True
    for link, event in _linked(chain):
        for gone in range(position + 1, link.position):
            yield Finding(LINK_REMOVED, gone)
            known = False
        yield from _of_event(link, event)
        made = link_digest(before, link.position, link.event, bytes(link.content))
        if known and made != bytes(link.digest):
            yield Finding(MOVED, link.position, link.event)
        before, position, known = bytes(link.digest), link.position, True
    if (position, before) != (chain.position, bytes(chain.digest)):
        yield Finding(END_REMOVED, position)


def _of_event(link: EventLink, event: GrantEvent | None) -> Iterator[Finding]:
    if event is None:
        yield Finding(REMOVED, link.position, link.event)
    elif event_digest(members_of(event)) != bytes(link.content):
        yield Finding(CHANGED, link.position, link.event)


def _linked(chain: EventChain, after: int = 0) -> Iterator[tuple[EventLink, GrantEvent | None]]:
    """The links after a position in their order, each with its event."""
    rows = EventLink.objects.filter(service=chain.service_id)
    while page := list(rows.filter(position__gt=after).order_by("position")[:READ_AT_ONCE]):
        events = GrantEvent.objects.of_outbox(page)
        for link in page:
            yield link, events.get(link.event)
        after = page[-1].position


def _inserted(chain: EventChain) -> Iterator[Finding]:
    """Events that have neither a link nor a place in the outbox behind the chain's end."""
    link = EventLink.objects.filter(service=chain.service_id, event=OuterRef("pk"))
    coming = Q(number=None) | Q(number__gt=chain.number)
    entry = OutboxEntry.objects.filter(coming, event=OuterRef("pk"))
    rows = GrantEvent.objects.filter(~Exists(link), ~Exists(entry), service=chain.service_id)
    for key in rows.order_by("at", "pk").values_list("pk", flat=True):
        yield Finding(INSERTED, None, key)


def _of_head(chain: EventChain, text: str) -> Iterator[Finding]:
    try:
        head = verify(text, HEAD, app_settings.event_signing_keys)
    except NotSigned:
        yield Finding(HEAD_UNKNOWN)
        return
    if head.service_id != chain.service_id:
        yield Finding(HEAD_UNKNOWN)
    elif head.position < chain.purged_position:
        yield Finding(HEAD_PURGED, head.position)
    elif _digest_at(chain, head.position) != head.digest:
        yield Finding(HEAD_DIFFERS, head.position)
    elif head.position:
        yield from _backdated(chain, head)


def _backdated(chain: EventChain, head: Head) -> Iterator[Finding]:
    before = times.EPOCH + timedelta(seconds=head.at) - LATE
    for link, event in _linked(chain, head.position):
        if link.event < first_uuid7(before) or (event is not None and event.at < before):
            yield Finding(BACKDATED, link.position, link.event)


def _digest_at(chain: EventChain, position: int) -> bytes | None:
    if position == chain.purged_position:
        return bytes(chain.purged_digest)
    rows = EventLink.objects.filter(service=chain.service_id, position=position)
    found = rows.values_list("digest", flat=True).first()
    return None if found is None else bytes(found)
