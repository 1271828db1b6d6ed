"""Two who do something at one moment on PostgreSQL, statement by statement, as they are told."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from unittest.mock import patch

from grant_management.db import bulk_insert

from ..ours import connection

PATIENCE = 120
"""Seconds after which somebody hangs: far beyond what any of this takes on a slow machine."""
POLL = 0.0005
"""Seconds between two looks at whether somebody waits for a lock."""


@dataclass
class Side:
    """A thread with a connection of its own. It counts what it sends, and stops where it is told:
    before a statement, a COPY or a COMMIT.
    """

    name: str
    work: SimpleQueue = field(default_factory=SimpleQueue)
    free: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    stop_before: int = 0
    count: int = 0
    result: object = None
    is_stopped: bool = False
    is_done: bool = False
    sent: list = field(default_factory=list)

    def __post_init__(self):
        self.thread = threading.Thread(target=self._work, name=self.name, daemon=True)
        self.thread.start()

    def start(self, operation, *, stop_before=0):
        """Do it, up to the statement of this number (from 1); 0: to the end."""
        self.stop_before, self.count, self.sent = stop_before, 0, []
        self.is_stopped = self.is_done = False
        self.free.clear()
        self.go_on.clear()
        self.work.put(operation)

    def wait(self, seconds=PATIENCE):
        """Whether it has stopped or is done."""
        return self.free.wait(seconds)

    def resume(self):
        self.free.clear()
        self.go_on.set()

    def end(self):
        self.work.put(None)
        self.thread.join(PATIENCE)

    def _work(self):
        try:
            with self._heard():
                self.free.set()
                for operation in iter(self.work.get, None):
                    try:
                        self.result = operation()
                    except Exception as error:  # noqa: BLE001 - told by whoever compares
                        self.result = repr(error)
                    self.is_done = True
                    self.free.set()
        finally:
            connection.close()

    @contextmanager
    def _heard(self):
        with connection.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '20ms'")
            cursor.execute("SET synchronous_commit = off")
        commit = connection.commit

        def committing():
            self._turn("COMMIT")
            commit()

        def executing(execute, sql, *arguments):
            self._turn(sql)
            return execute(sql, *arguments)

        with (
            connection.execute_wrapper(executing),
            patch.object(connection, "commit", committing),
        ):
            yield

    def _turn(self, sql):
        self.count += 1
        self.sent.append(sql)
        if self.count == self.stop_before:
            self.is_stopped = True
            self.free.set()
            assert self.go_on.wait(PATIENCE), f"nobody let {self.name} go on"
            self.is_stopped = False


class Turns:
    """The two sides, and who looks whether one waits for the other."""

    def __init__(self):
        self.one, self.two = Side("one"), Side("two")
        for side in (self.one, self.two):
            assert side.wait()

    def __enter__(self):
        sides = {side.thread: side for side in (self.one, self.two)}
        copy = bulk_insert._copy

        def copying(*arguments):
            if threading.current_thread() in sides:
                sides[threading.current_thread()]._turn("COPY")
            return copy(*arguments)

        self.patched = patch.object(bulk_insert, "_copy", copying)
        self.patched.start()
        return self

    def __exit__(self, *raised):
        self.patched.stop()
        self.one.end()
        self.two.end()

    def interleave(self, first, second, stop_before):
        """Both results; `first` waits before its statement of this number while `second` is done,
        or waits for a lock itself. None: it has no such statement, so one came after the other.
        """
        self.one.start(first, stop_before=stop_before)
        assert self.one.wait()
        stopped = self.one.is_stopped
        self.two.start(second)
        while not self.two.wait(POLL):
            if stopped and self._somebody_waits():
                break
        if stopped:
            self.one.resume()
        assert self.one.wait()
        assert self.two.wait()
        return (self.one.result, self.two.result), stopped

    @staticmethod
    def _somebody_waits():
        """Whether a session of this database waits for another: while one side is stopped, that is
        the other's. Behind a pooler nobody knows which session that is.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
                " AND pg_blocking_pids(pid) <> '{}')"
            )
            return cursor.fetchone()[0]
