"""Why there was no response, in words, and what to repair."""

import http.client
import ssl
from typing import Final

from .verdict import Failure, Late

_REASONS: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (
        ssl.SSLCertVerificationError,
        "the server's certificate is not trusted here",
        "Give the server a certificate for this name that is trusted here. The variable"
        " SSL_CERT_FILE names the file of an authority of your own.",
    ),
    (ssl.SSLError, "TLS failed", "Repair the server's TLS (1.2 or later)."),
    (
        TimeoutError,
        "the server was silent for too long",
        "Answer in time. `timeout` in the config is how many seconds the server may be silent.",
    ),
    (
        ConnectionRefusedError,
        "the connection was refused",
        "Start the server, or correct its URL in the config.",
    ),
    (
        http.client.RemoteDisconnected,
        "the server closed the connection without an answer",
        "Answer each request before the connection is closed.",
    ),
    (
        http.client.IncompleteRead,
        "the body broke off",
        "Send as many bytes as the header announces (RFC 9112, 6.3).",
    ),
    (http.client.HTTPException, "the answer is not HTTP", "Answer by HTTP/1.1 (RFC 9112)."),
    (
        OSError,
        "there was no connection, or it broke",
        "See that this machine can reach the server, and that its URL in the config is right.",
    ),
)


def no_answer(error: Exception) -> Failure:
    """The failure for an error of the connection; urllib may have wrapped it in a URLError."""
    inner = getattr(error, "reason", None)
    cause = inner if isinstance(inner, Exception) and not isinstance(error, ssl.SSLError) else error
    for kind, words, repair in _REASONS:
        if isinstance(cause, kind):
            failure = Late if kind is TimeoutError else Failure
            return failure(f"{words} ({type(cause).__name__}: {cause})", repair)
    return Failure(f"there is no answer ({type(cause).__name__})")
