"""The operations on a stream's status, subjects and verification (SSF §8.1.2 to §8.1.4)."""

from typing import Any

from ...fields import signals as m
from ...models import Stream, StreamDelivery, StreamDisabled, StreamSubject
from ...protocol.results import Refused, Result
from ...protocol.shared_signals import recognised
from .request import StreamRequest

READ = (m.STREAM_ID,)
SET = (m.STREAM_ID, m.STATUS, m.STATUS_REASON)
ADD = (m.STREAM_ID, m.SUBJECT, m.VERIFIED)
REMOVE = (m.STREAM_ID, m.SUBJECT)
VERIFY = (m.STREAM_ID, m.STATE)


def get(request: StreamRequest) -> dict[str, Any]:
    """`GET`: the status of a stream. Refused: there is no such stream."""
    return _show(request.stream())


def set_status(request: StreamRequest) -> dict[str, Any]:
    """`POST`: enable, pause or disable a stream. Refused: no such stream, or no status."""
    stream = request.stream()
    if "status" not in request.values:
        raise Refused(Result.BODY_UNREADABLE, "'status' is missing.")
    status, reason = request.values["status"], request.values.get("reason", "")
    StreamDelivery.objects.set_status(stream, status, reason, request.caller)
    return _show(stream)


def add_subject(request: StreamRequest) -> None:
    """`POST`: tell of a subject again that was removed. Refused: no such stream or subject."""
    stream, subject = request.stream(), _subject(request)
    StreamSubject.objects.add(stream, subject, request.caller)


def remove_subject(request: StreamRequest) -> None:
    """`POST`: tell no more of a subject. Refused: there is no such stream or subject."""
    stream, subject = request.stream(), _subject(request)
    StreamSubject.objects.remove(stream, subject, request.caller)


def verify(request: StreamRequest) -> None:
    """`POST`: send a verification event.

    Refused: there is no such stream, it is disabled, or it was asked just before.
    """
    stream, state = request.stream(), request.values.get("state")
    try:
        is_asked = StreamDelivery.objects.verify(stream, request.caller, state)
    except StreamDisabled:
        raise Refused(Result.BODY_UNREADABLE, "the stream is disabled: enable it first.") from None
    if not is_asked:
        raise Refused(Result.VERIFIED_JUST_BEFORE)


def _show(stream: Stream) -> dict[str, Any]:
    shown = {"stream_id": str(stream.pk), "status": str(stream.status)}
    return shown | ({"reason": stream.reason} if stream.reason else {})


def _subject(request: StreamRequest) -> dict[str, Any]:
    if "subject" not in request.values:
        raise Refused(Result.BODY_UNREADABLE, "'subject' is missing.")
    try:
        return recognised(request.values["subject"], request.service.issuer)
    except ValueError:
        raise Refused(Result.SUBJECT_UNKNOWN) from None
