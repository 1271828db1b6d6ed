"""The last answer of a connection says that it is the last (RFC 9112 §9.6)."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def last(environ: "WSGIEnvironment", start_response: "StartResponse") -> "StartResponse":
    """`start_response` that adds `Connection: close`.

    HTTP/2 has no such field: there, granian says GOAWAY, and an unread body ends with its stream.
    """
    if environ["SERVER_PROTOCOL"] == "HTTP/2":
        return start_response

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start_response(status, [*headers, ("Connection", "close")], *more)

    return start
