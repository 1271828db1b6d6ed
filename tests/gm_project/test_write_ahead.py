"""Connections of several workers that switch a new SQLite database to its write-ahead log."""

import sqlite3
import threading
import time

import pytest

from gm_project.database.write_ahead import WriteAheadConnection


@pytest.fixture
def writer(tmp_path):
    """Another connection that holds the lock of writers: nobody can switch the file's mode."""
    options = {"isolation_level": None, "check_same_thread": False}
    writer = sqlite3.connect(tmp_path / "own.sqlite3", **options)
    writer.execute("BEGIN IMMEDIATE")
    yield writer
    writer.close()


def test_it_waits_for_who_is_there(tmp_path, writer):
    """SQLite itself says "locked" at once, however long a connection may wait."""
    threading.Timer(0.3, writer.rollback).start()
    connection = WriteAheadConnection(tmp_path / "own.sqlite3", timeout=60)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_it_waits_no_longer_than_it_may(tmp_path, writer):
    began = time.monotonic()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        WriteAheadConnection(tmp_path / "own.sqlite3", timeout=0.1)
    assert time.monotonic() - began >= 0.1


def test_what_is_in_memory_has_no_log():
    connection = WriteAheadConnection(":memory:")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("memory",)
    connection.close()
