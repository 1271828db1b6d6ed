"""Reading ahead: in order, one item ahead, and nothing left behind."""

import contextlib
import gc
import sys
import threading

import pytest

from grant_management.interchange.read_ahead import SWITCH, ahead


def settings():
    return gc.isenabled(), sys.getswitchinterval()


def test_the_items_in_their_order():
    before = settings()
    assert list(ahead(range(100))) == list(range(100))
    assert list(ahead([])) == []
    assert settings() == before


def test_the_next_item_is_made_meanwhile():
    second = threading.Event()

    def items():
        yield 1
        second.set()
        yield 2

    with contextlib.closing(ahead(items())) as read:
        assert next(read) == 1
        assert second.wait(10)
        assert settings() == (False, pytest.approx(SWITCH, rel=0.01))


def test_an_error_of_the_source_is_the_readers():
    def items():
        yield 1
        raise OSError("gone")

    before = settings()
    with contextlib.closing(ahead(items())) as read:
        assert next(read) == 1
        with pytest.raises(OSError, match="gone"):
            next(read)
    assert settings() == before


def test_who_stops_early_leaves_nothing_behind():
    before, threads = settings(), threading.active_count()
    with contextlib.closing(ahead(iter(int, 1))) as read:
        assert next(read) == 0
    assert settings() == before
    assert threading.active_count() == threads
