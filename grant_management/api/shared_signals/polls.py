"""The polls of a receiver (RFC 8936)."""

from typing import Any

from ...events import polling
from ...fields import signals as m
from ...models.stream import Delivered
from ...protocol.results import Refused, Result
from .request import StreamRequest

POLL = (m.MAX_EVENTS, m.RETURN_IMMEDIATELY, m.ACK, m.SET_ERRS)


def poll(request: StreamRequest, stream_id: str) -> dict[str, Any]:
    """`POST`: take note of what the receiver has and refuses, and hand out what waits.

    It is answered at once, whatever `returnImmediately` says: a call that waits would keep a slot
    from the calls of others. Refused: there is no such stream, or it is pushed.
    """
    stream, values = request.stream_of(stream_id), request.values
    if stream.method != Delivered.POLL:
        raise Refused(Result.STREAM_UNKNOWN)
    polling.confirm(stream, values.get("ack", ()), values.get("setErrs", ()))
    sets, more = polling.fetch(stream, values.get("maxEvents", polling.FETCHED_AT_ONCE))
    return {"sets": sets} | ({"moreAvailable": True} if more else {})
