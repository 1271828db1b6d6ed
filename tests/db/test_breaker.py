"""The circuit breaker, and the slots of writes: without a database, by a clock of our own."""

import itertools
import threading
import time

import pytest
from django.db import DataError, OperationalError

from grant_management.db import write_slots
from grant_management.db.failures import classify
from grant_management.db.postgresql.breaker import FIRST, LONGEST, Breaker, CircuitOpen
from grant_management.db.write_slots import NoWriteSlot, WriteSlots
from grant_management.protocol.results import Result


class Database:
    """What one connects to; counts the attempts."""

    def __init__(self):
        self.now, self.tried, self.error = 0.0, 0, None
        self.breaker = Breaker(lambda: self.now)

    def connect(self):
        with self.breaker.attempt(lambda error: classify(error).result is Result.DATABASE_AWAY):
            self.tried += 1
            if self.error is not None:
                raise self.error

    def attempts(self, seconds):
        """At which times one of a thousand calls a second tried."""
        at = []
        for _ in range(round(seconds * 1_000)):
            before = self.tried
            with pytest.raises(OperationalError):
                self.connect()
            if self.tried > before:
                at.append(self.now)
            self.now += 0.001
        return at


@pytest.fixture
def database():
    return Database()


def test_everybody_connects(database):
    for _ in range(5):
        database.connect()
    assert database.tried == 5


def test_pauses_double(database):
    """And stay short, so that its return is seen soon."""
    database.error = OperationalError("connection refused")
    at = database.attempts(10)
    pauses = [round(later - one, 1) for one, later in itertools.pairwise(at)]
    assert pauses[:2] == [FIRST, 0.2]
    assert set(pauses[2:]) == {LONGEST}
    database.error = None
    database.now += LONGEST
    for _ in range(3):
        database.connect()
    database.error = OperationalError("connection refused")
    assert len(database.attempts(0.05)) == 1  # from the start again


def test_one_caller_at_a_time_tries(database):
    database.error = OperationalError("connection refused")
    with pytest.raises(OperationalError):
        database.connect()
    database.now += FIRST
    with database.breaker.attempt(bool), pytest.raises(CircuitOpen):
        database.connect()
    database.error = None
    database.connect()


def test_attempts_that_began_together_count_once(database):
    attempts = [database.breaker.attempt(lambda error: True) for _ in range(4)]
    for one in attempts:
        one.__enter__()
    error = OperationalError("timeout expired")
    for one in attempts:
        assert not one.__exit__(OperationalError, error, None)
    database.now += FIRST
    database.connect()


@pytest.mark.parametrize("error", [OperationalError("FATAL: too many clients"), DataError("x")])
def test_a_database_that_is_there_is_asked_again(database, error):
    database.error = error
    for _ in range(3):
        with pytest.raises(type(error)):
            database.connect()
    assert database.tried == 3


def test_it_says_what_the_last_attempt_said(database):
    """To the log; a caller gets neither."""
    database.error = OperationalError("FATAL:  unsupported startup parameter: options")
    told = []
    for _ in range(2):
        with pytest.raises(OperationalError) as raised:
            database.connect()
        told.append(classify(raised.value))
    assert database.tried == 1
    assert told[0] == told[1]
    assert "DATABASE_TIMEOUTS=off" in told[0].advice


class Writes:
    """Writes in threads of their own, which end when they are told."""

    def __init__(self, limit):
        self.slots, self.limit, self.go = WriteSlots(), limit, threading.Event()

    def start(self):
        inside = threading.Event()

        def write():
            with self.slots.taken(self.limit):
                inside.set()
                self.go.wait()

        thread = threading.Thread(target=write)
        thread.start()
        assert inside.wait(10)
        return thread


def test_one_write_too_many():
    """Is refused as busy; once the others have ended, it runs, and waits again."""
    writes = Writes(2)
    threads = [writes.start() for _ in range(2)]
    for _ in range(3):
        with pytest.raises(NoWriteSlot) as told, writes.slots.taken(2):
            pass
        failure = classify(told.value)
        assert (failure.result, failure.closes) == (Result.DATABASE_BUSY, False)
        assert "WRITES_AT_ONCE" in failure.advice
    writes.go.set()
    for thread in threads:
        thread.join()
    assert run_many(writes.slots) == 200


@pytest.mark.timeout(50)
def test_a_write_waits_for_one_that_ends(monkeypatch):
    """Short writes of more threads than there are slots are all done, and none waits in vain."""
    monkeypatch.setattr(write_slots, "PATIENCE", 60)
    assert run_many(WriteSlots()) == 200


def run_many(slots):
    """Fifty writes of each of four threads, one at a time; how many were done."""
    done = []

    def write():
        for _ in range(50):
            with slots.taken(1):
                time.sleep(0.001)  # the others come
                done.append(1)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)
