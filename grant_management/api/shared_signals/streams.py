"""The operations on the configuration of streams (SSF §8.1.1)."""

from collections.abc import Mapping
from typing import Any

from ...fields import signals as m
from ...fields.reading import read
from ...models import Stream
from ...models.receiver import AT_MOST, TooManyReceivers
from ...models.stream import HEADER, VERIFIED_EVERY, Delivered
from ...protocol.results import Refused, Result
from ...protocol.shared_signals import POLL, PUSH, SUPPORTED
from .addresses import url_of
from .request import StreamRequest

READ = (m.STREAM_ID,)
CREATE = (m.EVENTS_REQUESTED, m.DELIVERY, m.STREAM_DESCRIPTION)
CHANGE = (m.STREAM_ID, *CREATE)
DELETED: dict[str, Any] = {"events_requested": [], "description": "", "delivery": {"method": POLL}}
"""What a receiver's own properties become where it replaces a stream without them (§8.1.1.4)."""


def create(request: StreamRequest) -> dict[str, Any]:
    """`POST`: a new stream; without `delivery` its SETs are polled.

    Refused: the service has no issuer, the receiver too many streams, or the server no encryption
    keys.
    """
    if not request.service.issuer:
        raise Refused(Result.STREAMS_NOT_CONFIGURED)
    columns = _columns(DELETED | dict(request.values))
    caller, token = request.caller, request.api_token
    try:
        return show(Stream.objects.register(token, request.service, caller, **columns))
    except TooManyReceivers:
        text = f"this receiver has {AT_MOST} streams of the service already."
        raise Refused(Result.BODY_UNREADABLE, text) from None


def get(request: StreamRequest) -> Any:
    """`GET`: the stream of `stream_id`, or all streams of the receiver. Refused: no such stream."""
    if "stream_id" in request.values:
        return show(request.stream())
    return [show(one) for one in Stream.objects.of(request.service, request.api_token)]


def update(request: StreamRequest) -> dict[str, Any]:
    """`PATCH`: change the receiver's properties that are given.

    Refused: there is no such stream, or a property of the server's differs.
    """
    return _change(request, request.values)


def replace(request: StreamRequest) -> dict[str, Any]:
    """`PUT`: replace the receiver's properties; those that are missing are deleted.

    Refused: as for `update`.
    """
    return _change(request, DELETED | dict(request.values))


def delete(request: StreamRequest) -> None:
    """`DELETE`: with what waits for the receiver. Refused: there is no such stream."""
    if not request.stream().remove(request.caller):
        raise Refused(Result.STREAM_UNKNOWN)


def show(stream: Stream) -> dict[str, Any]:
    """The configuration of a stream (SSF §8.1.1), without the header that authorises pushes."""
    return {
        **_of_server(stream),
        "delivery": _delivery(stream),
        "events_requested": stream.events_requested,
        "description": stream.description,
    }


def _of_server(stream: Stream) -> dict[str, Any]:
    return {
        "stream_id": str(stream.pk),
        "iss": stream.service.issuer,
        "aud": stream.audience,
        "events_supported": list(SUPPORTED),
        "events_delivered": stream.delivered,
        "min_verification_interval": int(VERIFIED_EVERY.total_seconds()),
    }


def _delivery(stream: Stream) -> dict[str, str]:
    if stream.method == Delivered.PUSH:
        return {"method": PUSH, "endpoint_url": stream.url}
    return {"method": POLL, "endpoint_url": _poll_url(stream)}


def _poll_url(stream: Stream) -> str:
    return url_of(stream.service, "ssf_poll", stream_id=str(stream.pk))


def _change(request: StreamRequest, values: Mapping[str, Any]) -> dict[str, Any]:
    stream = request.stream()
    _check_server_properties(stream, request.members)
    url = values.get("delivery", {}).get("endpoint_url")
    if values.get("delivery", {}).get("method") == POLL and url not in (None, _poll_url(stream)):
        raise Refused(Result.BODY_UNREADABLE, "'endpoint_url' of a poll is the server's to say.")
    stream.change(request.caller, **_columns(values))
    return show(stream)


def _check_server_properties(stream: Stream, members: Mapping[str, Any]) -> None:
    """Refuse properties of the server's that are not as they are here (SSF §8.1.1.3)."""
    sent = {**members, **read(members, (m.INTERVAL,))}  # a number comes as it was written
    for name, value in _of_server(stream).items():
        if name in sent and sent[name] != value and name != "stream_id":
            raise Refused(Result.BODY_UNREADABLE, f"'{name}' is not what it is here.")


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: values[name] for name in ("events_requested", "description") if name in values}
    delivery = values.get("delivery")
    if delivery is None:
        return columns
    is_push = delivery["method"] == PUSH
    return columns | {
        "method": Delivered.PUSH if is_push else Delivered.POLL,
        "url": delivery["endpoint_url"] if is_push else "",
        HEADER: delivery.get("authorization_header") if is_push else None,
    }
