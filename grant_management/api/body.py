"""The body of a request: whole, as its sender framed it, or refused (RFC 9112 §6, RFC 9110 §8.6).

Read past Django's `request.body`: that takes a body that broke off for one that ended, and its
`DATA_UPLOAD_MAX_MEMORY_SIZE` is meant for pages. Here `MAX_BODY_SIZE` alone decides.
"""

from typing import Any

from django.http import HttpRequest

from ..conf import app_settings
from ..fields.reading import FORM, JSON
from ..protocol.results import Refused, Result
from . import server


def announced_size(request: HttpRequest) -> int | None:
    """Bytes of the body, as its sender says; None: there may be a body, of which nobody said.

    Refused: what it says is no number, or it says two things (RFC 9112 §6.3).
    """
    announced = request.META.get("CONTENT_LENGTH")
    if not announced:
        return None if _may_have_body(request) else 0
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise Refused(Result.BODY_UNREADABLE, "it has a Content-Length and a Transfer-Encoding.")
    if not (len(announced) < 19 and announced.isascii() and announced.isdigit()):
        raise Refused(Result.BODY_UNREADABLE, "its Content-Length is no number.")
    return int(announced)


def read_body(request: HttpRequest, *, optional: bool = False) -> bytes:
    """The whole body: size → media type → content. Empty only where it is `optional`."""
    size, body = announced_size(request), None
    if size is None:
        body = _read_to_the_end(request)
        size = len(body)
    if size > app_settings.max_body_size:
        raise Refused(Result.BODY_TOO_LARGE, f"The limit is {app_settings.max_body_size} bytes.")
    if size or not optional:
        _check_media_type(request)
    if not size and not optional:
        raise Refused(Result.BODY_MISSING)
    return _keep(request, _read_whole(request, size) if body is None else body)


def refuse_body(request: HttpRequest) -> None:
    """For GET, HEAD and DELETE, whose content means nothing (RFC 9110 §9.3.1, §9.3.5).

    It is not read: a stranger who sends the half of one would keep a thread waiting. So nobody
    knows whether the request is whole, and it is refused.
    """
    if announced_size(request) or "HTTP_TRANSFER_ENCODING" in request.META:
        raise Refused(Result.BODY_UNREADABLE, f"{request.method} takes no body.")


def _may_have_body(request: HttpRequest) -> bool:
    """Whether a body may come unannounced: chunked (RFC 9112 §7.1), or by HTTP/2."""
    meta, is_asgi = request.META, not hasattr(request, "environ")
    return is_asgi or "HTTP_TRANSFER_ENCODING" in meta or bool(meta.get("wsgi.input_terminated"))


def _read_to_the_end(request: HttpRequest) -> bytes:
    """A body without a length. Refused: the server cannot tell where it ends."""
    meta, most = request.META, app_settings.max_body_size + 1
    coding = meta.get("HTTP_TRANSFER_ENCODING")
    if coding is not None and coding.strip().lower() != "chunked":
        raise Refused(Result.LENGTH_REQUIRED)
    if not hasattr(request, "environ"):  # ASGI: Django has received all of it
        return _read(request, most)
    hidden = server.hides_broken_bodies(meta)
    if not meta.get("wsgi.input_terminated") or (hidden and coding is not None):
        raise Refused(Result.LENGTH_REQUIRED)
    # Not Django's stream, which stands at the end: it goes by the length that is not there.
    body = _read(meta["wsgi.input"], 1 if hidden else most)
    if hidden and body:
        raise Refused(Result.LENGTH_REQUIRED)
    return body


def _check_media_type(request: HttpRequest) -> None:
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise Refused(Result.MEDIA_TYPE_UNSUPPORTED, "Send it without a content coding.")
    if request.content_type not in (JSON, FORM):
        raise Refused(Result.MEDIA_TYPE_UNSUPPORTED)


def _read_whole(request: HttpRequest, size: int) -> bytes:
    body = _read(request, size)
    if len(body) != size:
        raise Refused(Result.BODY_UNREADABLE, "it ended before its Content-Length.")
    return body


def _read(stream: Any, most: int) -> bytes:
    """Up to so many bytes, however many the server gives at once."""
    parts: list[bytes] = []
    missing = most
    try:
        while missing and (part := stream.read(missing)):
            parts.append(part)
            missing -= len(part)
    except Exception:  # noqa: BLE001 - each server has its own for a body that breaks off
        raise Refused(Result.BODY_UNREADABLE, "it ended early.") from None
    return b"".join(parts)


def _keep(request: HttpRequest, body: bytes) -> bytes:
    """For what comes later and asks the request for its body, such as a log of the host."""
    request._body = body
    return body
