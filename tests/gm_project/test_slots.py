"""Slots: few calls work at once, each with the slot's own connections."""

import io
import threading
from types import SimpleNamespace

import pytest
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.http import HttpResponse, StreamingHttpResponse

from gm_project.serving.slots import Slots
from gm_project.serving.supply import STEP, STEPS, NoneLeft, Supply, Waiting

ENVIRON = {
    "PATH_INFO": "/api/x",
    "REMOTE_ADDR": "192.0.2.1",
    "REQUEST_METHOD": "GET",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_SOFTWARE": "Granian",
}
PAGE = {"PATH_INFO": "/admin/x"}


def call(slots, **changes):
    """The status, the headers and what is sent."""
    said = []
    environ = {**ENVIRON, "wsgi.input": io.BytesIO(), **changes}
    sent = slots(environ, lambda status, headers: said.extend([status, dict(headers)]))
    return (*said, sent)


def in_a_thread(function):
    """What it returns there."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def answering(see):
    """An application that answers with nothing, and sees something first."""

    def application(environ, start_response):
        see()
        start_response("200 OK", [])
        return HttpResponse("")

    return application


def test_threads_share_the_connections_of_a_slot():
    seen = []
    slots = Slots(answering(lambda: seen.append(connections["default"])), 1, 1)

    def calls():
        call(slots)
        return connections["default"]

    outside = [in_a_thread(calls) for _ in range(2)]
    assert seen[0] is seen[1]
    assert seen[0] not in outside
    in_a_thread(seen[0].validate_thread_sharing)


def test_as_many_connections_as_slots():
    seen, both = [], threading.Barrier(2, timeout=60)

    def see():
        seen.append(connections["default"])
        both.wait()

    slots = Slots(answering(see), 2, 2)
    threads = [threading.Thread(target=call, args=(slots,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 20
    assert len(set(map(id, seen))) == 2


@pytest.mark.parametrize("changes", [{}, PAGE])
def test_a_call_that_fails_gives_its_slot_back(changes):
    def fail():
        raise ZeroDivisionError

    slots = Slots(answering(fail), 1, 1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            call(slots, **changes)


@pytest.mark.django_db(transaction=True)
def test_after_one_lost_its_connection_the_others_open_theirs_anew():
    """Each before its next use, once."""
    if connections["default"].vendor == "sqlite":
        pytest.skip("Django never closes SQLite's test database, which is in memory")
    seen = []

    def work():
        connections["default"].ensure_connection()
        seen.append(connections["default"].connection)

    def lose():
        connections["default"].close()

    slots = Slots(answering(lambda: steps.pop(0)()), 2, 2)
    steps = [work, work, work, lose, work, work, work, work]
    for _ in range(8):
        call(slots)
    for slot in (slots._free.take(), slots._free.take()):
        for one in slot._own.values():
            one.close()
    first, second, again, *later = seen
    assert again is first  # the third call has the first slot again, and its connection
    assert len(later) == 4  # the fourth one lost that of the second slot
    assert later[0] is not first
    assert later[1] is not second
    assert later[2:] == later[:2]


@pytest.mark.django_db(transaction=True)
def test_a_file_that_was_lost_is_opened_once_no_call_has_it_open(monkeypatch, tmp_path):
    """SQLite keeps what it knows of a file as long as the process has it open anywhere."""
    monkeypatch.setattr("gm_project.serving.supply.STEPS", 1000)
    steps, seen = [], []
    slots = Slots(answering(lambda: steps.pop(0)()), 2, 2)
    own = [on_file(slot, tmp_path / "own.sqlite3") for slot in slots._free._free]
    goes_on, has_opened = threading.Event(), threading.Event()

    def overlap():
        connections["default"].ensure_connection()
        has_opened.set()
        assert goes_on.wait(60)

    def lose():
        connections["default"].ensure_connection()  # the call that opens it can lose it too
        connections["default"].close()

    steps += [overlap, lose, lambda: seen.append([one.connection for one in own])]
    long = threading.Thread(target=call, args=(slots,))
    long.start()
    assert has_opened.wait(60)
    call(slots)
    next_one = threading.Thread(target=call, args=(slots,))
    next_one.start()
    next_one.join(0.5)
    assert (next_one.is_alive(), seen) == (True, [])
    goes_on.set()
    for thread in (long, next_one):
        thread.join(60)
    assert seen == [[None, None]]
    call_again = [lambda: connections["default"].ensure_connection()] * 2
    steps += call_again
    for _ in call_again:
        call(slots)
    assert all(one.connection for one in own)
    for one in own:
        one.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("seconds", "is_lost"), [(None, True), (600, True), (0, False)])
def test_a_connection_that_is_closed_for_its_age_is_not_lost(tmp_path, seconds, is_lost):
    def work():
        connections["default"].ensure_connection()
        connections["default"].close()

    slots = Slots(answering(work), 1, 1)
    own = on_file(slots._free._free[0], tmp_path / "own.sqlite3", seconds)
    for _ in range(2):
        call(slots)
        assert (own.connection, slots._is_file_lost) == (None, is_lost)


def on_file(slot, path, seconds=None):
    """The connection to this file of SQLite that the slot has from now on; `seconds`: its age."""
    settings = {**connections["default"].settings_dict, "NAME": str(path), "CONN_MAX_AGE": seconds}
    slot._own["default"] = DatabaseWrapper({**settings, "OPTIONS": {}}, "default")
    slot._own["default"].inc_thread_sharing()
    return slot._own["default"]


def test_who_waits_too_long_is_told_to_try_again(monkeypatch):
    monkeypatch.setattr("gm_project.serving.supply.STEPS", 1)
    refused, told = [], []
    observer = SimpleNamespace(refused=told.append)
    monkeypatch.setattr("grant_management.observation.observer", observer)
    slots = Slots(answering(lambda: refused.append(in_a_thread(lambda: call(slots)))), 1, 1)
    assert call(slots)[0] == "200 OK"
    monkeypatch.undo()
    status, headers, _ = refused[0]
    assert (status, headers["Retry-After"]) == ("503 Service Unavailable", "2")
    assert len(headers["X-Request-ID"]) == 32
    assert told == ["A277103"]


@pytest.fixture
def waits(monkeypatch):
    """The waits of callers in the line, in seconds each."""
    seen, real = [], Waiting.is_handed
    monkeypatch.setattr(
        Waiting, "is_handed", lambda self, seconds: seen.append(seconds) or real(self, seconds)
    )
    return seen


def test_who_comes_after_one_that_waited_in_vain_does_not_wait(waits):
    """Until a slot is taken again. The waits are counted."""
    supply = Supply(["slot"])
    assert supply.take() == "slot"
    for expected in ([STEP] * STEPS, [], []):
        waits.clear()
        with pytest.raises(NoneLeft):
            supply.take()
        assert waits == expected
    supply.give_back("slot")
    assert supply.take() == "slot"
    waits.clear()
    with pytest.raises(NoneLeft):
        supply.take()
    assert waits == [STEP] * STEPS


def test_who_waits_while_others_get_their_turn_goes_on_waiting(monkeypatch):
    """Each turn of others begins the count anew."""
    monkeypatch.setattr("gm_project.serving.supply.STEPS", 2)
    supply, waits = Supply(["slot"]), []
    assert supply.take() == "slot"

    def wait(self, seconds):
        waits.append(seconds)
        if len(waits) < 6:
            supply._taken += len(waits) % 2  # somebody else got it
            return False
        self.things.append("slot")
        return True

    monkeypatch.setattr(Waiting, "is_handed", wait)
    assert supply.take() == "slot"
    assert len(waits) == 6


def test_whoever_came_first_is_served_first():
    supply, served = Supply(["slot"]), []
    assert supply.take() == "slot"
    threads = []
    for number in range(5):
        thread = threading.Thread(
            target=lambda n=number: served.append((n, supply.take())), daemon=True
        )
        thread.start()
        while len(supply._line) <= number:
            thread.join(0.001)
        threads.append(thread)
    for turn in range(5):
        supply.give_back("slot")
        threads[turn].join(10)
    assert served == [(number, "slot") for number in range(5)]


def test_what_is_handed_over_in_the_last_moment_is_taken(monkeypatch):
    """The wait has ended, and before the caller left the line it was given a slot."""
    supply = Supply(["slot"])
    assert supply.take() == "slot"
    monkeypatch.setattr("gm_project.serving.supply.STEPS", 1)
    monkeypatch.setattr(Waiting, "is_handed", lambda self, seconds: supply.give_back("slot"))
    assert supply.take() == "slot"


def test_who_left_the_line_is_handed_nothing(monkeypatch):
    monkeypatch.setattr("gm_project.serving.supply.STEPS", 1)
    supply = Supply(["slot"])
    assert supply.take() == "slot"
    with pytest.raises(NoneLeft):
        supply.take()
    supply.give_back("slot")
    assert supply.take() == "slot"


def test_an_answer_is_sent_without_a_slot():
    """What it may read from a database meanwhile, it reads over a connection that ends with it."""
    own, first = [], []

    def pieces():
        own.append(connections["default"])
        yield b"x"

    def stream(environ, start_response):
        first.append(connections["default"])
        start_response("200 OK", [])
        return StreamingHttpResponse(pieces())

    def whole():
        sent = call(slots)[2]
        other = call(slots)[0]
        content = list(sent)
        sent.close()
        left = connections.all(initialized_only=True)
        return other, content, left

    slots = Slots(stream, 1, 1)
    assert in_a_thread(whole) == ("200 OK", [b"x"], [])
    assert own[0] not in first


def test_a_body_that_ends_early_is_refused_before_a_slot():
    slots = Slots(answering(lambda: pytest.fail("called")), 1, 1)
    status, _, sent = call(slots, CONTENT_LENGTH="5", **{"wsgi.input": io.BytesIO(b"{")})
    assert status == "400 Bad Request"
    assert b"A126202" in sent[0]
