"""Reads the body of a request: it is complete, or it is refused (RFC 9112 §6, RFC 9110 §8.6).

Django's `request.body` is not used: it accepts a truncated body as a complete one, and its limit
`DATA_UPLOAD_MAX_MEMORY_SIZE` is meant for pages. Here `MAX_BODY_SIZE` is the only limit.
"""

from typing import Any

from django.http import HttpRequest

from ..conf import app_settings
from ..fields.reading import FORM, JSON
from ..protocol.results import Refused, Result
from . import server


def announced_size(request: HttpRequest) -> int | None:
    """The announced size of the body in bytes; None: there may be a body of unknown size.

    Refused: `Content-Length` is not a number, or comes with a `Transfer-Encoding` (RFC 9112 §6.3).
    """
    announced = request.META.get("CONTENT_LENGTH")
    if not announced:
        return None if _may_have_body(request) else 0
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise Refused(Result.BODY_UNREADABLE, "it has a Content-Length and a Transfer-Encoding.")
    # 18 digits fit into 64 bits. `isdigit` alone would accept digits that are not ASCII.
    if not (len(announced) < 19 and announced.isascii() and announced.isdigit()):
        raise Refused(Result.BODY_UNREADABLE, "its Content-Length is not a number.")
    return int(announced)


def read_body(request: HttpRequest, *, optional: bool = False) -> bytes:
    """The whole body; b"" only where it is `optional`. Checks size, media type, content in order.

    Refused: the body is missing, too large, truncated, of unknown length or of another media type.
    """
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
    """Refuse a GET, HEAD or DELETE that has a body: it has no meaning (RFC 9110 §9.3.1, §9.3.5).

    The body is not read: a sender who stops in the middle would keep a thread waiting. Unread, it
    may be truncated, so the request is refused.
    """
    if announced_size(request) or "HTTP_TRANSFER_ENCODING" in request.META:
        raise Refused(Result.BODY_UNREADABLE, f"{request.method} takes no body.")


def _may_have_body(request: HttpRequest) -> bool:
    """Whether a body may come without a Content-Length: chunked (RFC 9112 §7.1), or by HTTP/2."""
    # Of Django's request classes only that of WSGI has an `environ`.
    meta, is_asgi = request.META, not hasattr(request, "environ")
    return is_asgi or "HTTP_TRANSFER_ENCODING" in meta or bool(meta.get("wsgi.input_terminated"))


def _read_to_the_end(request: HttpRequest) -> bytes:
    """A body without a Content-Length. Refused: the server cannot tell where it ends."""
    meta, most = request.META, app_settings.max_body_size + 1
    coding = meta.get("HTTP_TRANSFER_ENCODING")
    if coding is not None and coding.strip().lower() != "chunked":
        raise Refused(Result.LENGTH_REQUIRED)
    if not hasattr(request, "environ"):  # ASGI: Django has received all of it
        return _read(request, most)
    hidden = server.hides_broken_bodies(meta)
    if not meta.get("wsgi.input_terminated") or (hidden and coding is not None):
        raise Refused(Result.LENGTH_REQUIRED)
    # The server's own stream: Django's ends at the Content-Length, which is missing. One byte tells
    # whether there is a body at all, which is enough where its end cannot be trusted.
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
        raise Refused(Result.BODY_UNREADABLE, "it is shorter than its Content-Length.")
    return body


def _read(stream: Any, most: int) -> bytes:
    """Up to `most` bytes; the server may return fewer at each read."""
    parts: list[bytes] = []
    missing = most
    try:
        while missing and (part := stream.read(missing)):
            parts.append(part)
            missing -= len(part)
    except Exception:  # noqa: BLE001 - each server has its own error for a truncated body
        raise Refused(Result.BODY_UNREADABLE, "it ended early.") from None
    return b"".join(parts)


def _keep(request: HttpRequest, body: bytes) -> bytes:
    """Store the body where Django does, for later readers such as a request log of the host."""
    request._body = body
    return body
