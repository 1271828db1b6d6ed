"""Few calls work at once, however many wait for their clients.

A worker has many threads (`server.THREADS`), since granian needs one to read a body. Only
`CALLS_AT_ONCE` of them work: a call reads its body first, then takes a slot. Each slot has its own
connection to each database. Django keeps connections by thread, so a thread that takes a slot gets
the slot's connections, and leaves them in the slot.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from django.db import connections
from django.db.backends.signals import connection_created

from gm_project.serving import pages
from gm_project.serving.bodies import Bodies, EndedEarly, NoRoom, is_unread
from gm_project.serving.last_answer import last
from gm_project.serving.supply import PATIENCE, NoneLeft, Supply
from grant_management import call_lines, observation, request_id
from grant_management.api.errors import refusal_response
from grant_management.protocol.results import Refused, Result

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_BUSY: Final = Refused(Result.DATABASE_BUSY)
_BROKEN: Final = Refused(Result.BODY_UNREADABLE, "it ended early.")


class Slot:
    """The connections that a call works with: one to each database.

    Where one was closed because of an error, the others to the same database are opened anew before
    their next use: they may lead to a server that is no primary any more.
    """

    def __init__(self) -> None:
        self._own = {alias: connections.create_connection(alias) for alias in connections}
        for connection in self._own.values():
            connection.inc_thread_sharing()  # many threads, one after the other
        self._losses = Counter[str]()
        self._used = set[str]()
        """The databases that the call in hand has had a connection to."""
        connection_created.connect(self._opened)

    def enter(self, losses: Counter[str]) -> None:
        """Make its connections those of this thread. `losses`: how many were lost so far, by the
        alias of their database.
        """
        for alias, connection in self._own.items():
            if losses[alias] != self._losses[alias]:
                connection.close()
                self._losses[alias] = losses[alias]
        self._used = {alias for alias, one in self._own.items() if one.connection is not None}
        self._others = connections.all(initialized_only=True)
        for alias, connection in self._own.items():
            connections[alias] = connection

    def leave(self) -> list[str]:
        """Take them back: the thread has those that it had before, if any.

        The aliases of those that were closed, and not for their age.
        """
        for alias in self._own:
            del connections[alias]
        for other in self._others:
            connections[other.alias] = other
        return [alias for alias in self._used if _is_lost(self._own[alias])]

    def _opened(self, connection: Any, **_others: object) -> None:
        """A connection was opened, by this slot or by another (`connection_created`)."""
        alias: str = connection.alias
        if self._own.get(alias) is connection:
            self._used.add(alias)

    def has_file(self, alias: str) -> bool:
        """Whether this database is a file that this process opened, of SQLite."""
        return self._own[alias].vendor == "sqlite"

    def close(self) -> None:
        """Close its connections; the next call opens them."""
        for connection in self._own.values():
            connection.close()

    def settle(self) -> None:
        """Close what Django closes at the end of a request (`close_old_connections`)."""
        for connection in self._own.values():
            connection.close_if_unusable_or_obsolete()


def _is_lost(connection: Any) -> bool:
    """Whether it was closed before CONN_MAX_AGE had passed."""
    is_old = connection.close_at is not None and time.monotonic() >= connection.close_at
    return connection.connection is None and not is_old


class Slots:
    """A WSGI application in front of Django: it reads the body, and then waits for a slot.

    `of_pages`: how many of the slots pages may take, so that they leave some to the API.
    """

    def __init__(self, application: "WSGIApplication", number: int, of_pages: int) -> None:
        self._application = application
        self._bodies = Bodies()
        self._number = number
        self._free = Supply(Slot() for _ in range(number))
        self._pages = threading.BoundedSemaphore(of_pages)
        self._losses = Counter[str]()
        self._renewing = threading.Lock()
        self._is_file_lost = False

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """The answer. 400: the body ended early; 503: too many calls, or bodies, are in hand."""
        arrived = time.monotonic()
        try:
            body = self._bodies.read(environ)
        except EndedEarly:
            return _refuse(environ, last(environ, start_response), _BROKEN)
        except NoRoom:
            return _refuse(environ, last(environ, start_response), _BUSY)
        environ["wsgi.input"] = body
        if is_unread(body):
            start_response = last(environ, start_response)
        try:
            if environ["PATH_INFO"].startswith(pages.PREFIXES):
                return self._page(environ, start_response, arrived)
            return self._answer(environ, start_response)
        except (NoRoom, NoneLeft):
            return _refuse(environ, start_response, _BUSY)
        finally:
            body.close()

    def _page(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", arrived: float
    ) -> Iterable[bytes]:
        if not self._pages.acquire(timeout=PATIENCE):
            raise NoRoom
        try:
            with pages.at_work(environ["REMOTE_ADDR"], arrived):
                return self._answer(environ, start_response)
        finally:
            self._pages.release()

    def _answer(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if self._is_file_lost:
            self._renew()
        slot = self._free.take()
        slot.enter(self._losses)
        try:
            response: Any = self._application(environ, start_response)
            if response.streaming:
                slot.settle()
                return _Sent(response)
            content = response.content
            response.close()
            return [content]
        finally:
            lost = slot.leave()
            self._losses.update(lost)
            if any(map(slot.has_file, lost)):
                self._is_file_lost = True
            self._free.give_back(slot)

    def _renew(self) -> None:
        """Close the connections of all slots at one moment. SQLite stays read-only for a process
        that opened it so until none is open: calls that overlap would keep it so for ever.

        Callers wait here without a slot, so that those who have one can end.
        """
        with self._renewing:
            taken: list[Slot] = []
            try:
                while self._is_file_lost and len(taken) < self._number:
                    taken.append(self._free.take())
                for slot in taken:
                    slot.close()
                self._is_file_lost = False
            finally:
                for slot in taken:
                    self._free.give_back(slot)


class _Sent:
    """A streamed response, which is sent without a slot: its reader may be slow.

    Exports are files by then (`admin.kit.export`). If one did read from a database, it would get a
    connection of this thread, which is closed with the response.
    """

    def __init__(self, response: Any) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._response)

    def close(self) -> None:
        """The end of the request."""
        self._response.close()
        for connection in connections.all(initialized_only=True):
            connection.close()
            del connections[connection.alias]


def _refuse(
    environ: "WSGIEnvironment", start_response: "StartResponse", refusal: Refused
) -> Iterable[bytes]:
    """Without Django, which would write a line into the log for each."""
    response, code = refusal_response(refusal), refusal.result.code
    of_request = request_id.accepted(environ.get("HTTP_X_REQUEST_ID", ""))
    response[request_id.HEADER] = of_request
    if observation.observer is not None:
        observation.observer.refused(code)
    status = HTTPStatus.SERVICE_UNAVAILABLE if refusal is _BUSY else HTTPStatus.BAD_REQUEST
    headers = [*response.items(), *([("Retry-After", "2")] if refusal is _BUSY else [])]
    with request_id.of_request(of_request):
        call_lines.write(door="server", status=status.value, code=code)
    start_response(f"{status.value} {status.phrase}", headers)
    return [response.content]
