"""The stream of events, for systems that collect them. The API token needs the right to read it."""

from typing import Final

from ...events import stream
from ...fields import members as m
from ...protocol.results import Refused, Result
from ...protocol.strict_json import Literal, dumps
from .answer import Answer, done
from .request import StoreRequest

LIST = (m.EVENTS_AFTER, m.EVENTS_LIMIT)
PAGE: Final = 100
PAGE_BYTES: Final = 4 * 1_048_576
"""Bytes after which a page is full: an event may have what a large grant held."""


def list_events(request: StoreRequest) -> Answer:
    """`GET /events?after=`: the events after a cursor, in their order, a page at a time.

    `cursor` is what to ask for next, also where no event came. Refused: the service does not
    publish its events.
    """
    if not request.service.publishes_events:
        raise Refused(Result.EVENTS_NOT_PUBLISHED)
    cursor, size, shown = request.values.get("after", 0), 0, list[Literal]()
    for one in stream.read(request.service, cursor):
        text = dumps(one.shown())
        shown.append(Literal(text))
        cursor, size = one.cursor, size + len(text)
        if len(shown) == request.values.get("limit", PAGE) or size > PAGE_BYTES:
            break
    return done({}) | {"cursor": str(cursor), "events": shown}
