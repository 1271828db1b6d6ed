"""Sends one webhook or SET by HTTPS, to an address that was checked.

It is the standard library's HTTP client over a socket that is opened here. Whoever opens the socket
can connect to the address that was checked, while SNI, the certificate's check and the Host header
keep the name, and can end everything at one deadline, the TLS handshake too. Such a client knows no
proxies of the environment, follows nothing and retries nothing. httpx, niquests and requests
resolve names inside of their pools, take proxies from the environment unless told not to, and bound
each step alone, as urllib3 does: a receiver that sends a byte now and then would hold a worker for
hours. The certificate is checked against the system's authorities (or `SSL_CERT_FILE`).
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from functools import cache
from http.client import HTTPConnection
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from .. import tracing
from ..models.webhook_attempt import Outcome
from .resolving import NotResolved, addresses_of

CONNECT_WITHIN: Final = 5.0
"""Seconds for a connection to one address, without TLS."""
ANSWER_WITHIN: Final = 15.0
"""Seconds for a whole attempt, however slowly its answer comes in."""


SMALL: Final = 8_192
"""Bytes of an answer in which a receiver may say what is wrong."""


class Answer(NamedTuple):
    """What a receiver answered: the status, and the beginning of the body where it is read."""

    status: int
    body: bytes


class NotSent(Exception):
    """The attempt ended without an answer."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def post(
    url: str, body: bytes, headers: dict[str, str], parent: tracing.Carrier, *, reads: int = 0
) -> Answer:
    """The answer, with at most `reads` bytes of its body. NotSent: there was none.

    `parent` is the trace context of the request that the event comes from.
    """
    to = urlsplit(url)
    if tracing.tracer is None:
        return _post(to, body, headers, reads)
    with tracing.tracer.sending(to.hostname or "", to.port or 443, parent) as span:
        answer = _post(to, body, headers | span.headers, reads)
        span.answered(answer.status)
    return answer


def _post(to: SplitResult, body: bytes, headers: dict[str, str], reads: int) -> Answer:
    ends = time.monotonic() + ANSWER_WITHIN
    try:
        with _connected(to, ends) as opened, _ended_at(ends, opened):
            connection = _Secured(to, opened)
            path = (to.path or "/") + (f"?{to.query}" if to.query else "")
            with contextlib.closing(connection):
                connection.request("POST", path, body, {"Host": to.netloc} | headers)
                with connection.getresponse() as answer:
                    told = Answer(answer.status, answer.read(reads) if reads else b"")
    except NotResolved as error:
        raise NotSent(error.outcome) from None
    except Exception as error:  # noqa: BLE001 - http.client has many errors for what is no HTTP
        raise NotSent(_outcome_of(error, is_late=time.monotonic() >= ends)) from None
    if time.monotonic() >= ends:  # http.client takes headers that were cut off for whole ones
        raise NotSent(Outcome.TIMED_OUT)
    return told


class _Secured(HTTPConnection):
    """HTTP over TLS, on a socket that is connected already."""

    def __init__(self, to: SplitResult, opened: socket.socket) -> None:
        super().__init__(to.hostname or "", to.port or 443)
        self._opened = opened

    def connect(self) -> None:
        """Make the handshake. The certificate has to be for the name, not for the address."""
        self.sock = _trust().wrap_socket(self._opened, server_hostname=self.host)


def _connected(to: SplitResult, ends: float) -> socket.socket:
    """A socket that is connected to the first of the addresses that answers.

    NotResolved: there is none that may be used. OSError: none answers.
    """
    last: OSError = TimeoutError()
    for address in addresses_of(to.hostname or ""):
        left = min(CONNECT_WITHIN, ends - time.monotonic())
        if left > 0:
            try:
                opened = socket.create_connection((address, to.port or 443), left)
                opened.settimeout(ANSWER_WITHIN)
                return opened
            except OSError as error:
                last = error
    raise last


def _outcome_of(error: Exception, *, is_late: bool) -> Outcome:
    if is_late or isinstance(error, TimeoutError):
        return Outcome.TIMED_OUT
    return Outcome.NOT_TRUSTED if isinstance(error, ssl.CertificateError) else Outcome.NOT_CONNECTED


@contextlib.contextmanager
def _ended_at(ends: float, opened: socket.socket) -> Iterator[None]:
    """Shut the connection down at that time: a socket's timeout begins anew with each byte.

    A second descriptor does it, since TLS takes the first one over.
    """
    with opened.dup() as second:
        timer = threading.Timer(max(0, ends - time.monotonic()), _shut, (second,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # else it could shut another connection down, that got this descriptor


def _shut(held: socket.socket) -> None:
    with contextlib.suppress(OSError):
        held.shutdown(socket.SHUT_RDWR)


@cache
def _trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
