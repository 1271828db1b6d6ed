import time

import pytest

from benchmarks.console import found, rows
from benchmarks.data import FIRST_SERVICE, Size, fill
from grant_management.models import Service

from ..ours import connection

WITHIN = 120
"""Seconds that the data may take."""
QUICK = (
    "fsync = off",
    "full_page_writes = off",
    "max_wal_size = '16GB'",
    "checkpoint_timeout = '1h'",
    "autovacuum = off",
)
"""Settings of a server whose data nobody needs after a crash."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, request):
    """Many grants, beside the few of another service; made once, and seen by every test."""
    number = request.config.getoption("--grants")
    if not number:
        pytest.skip("at scale: --db postgresql --grants 1000000")
    with django_db_blocker.unblock():
        _hurry()
        began = time.monotonic()
        size = Size(number)
        assert fill(size, seconds=10 * WITHIN, is_analyzed=False) == number
        small = Size(100, clients=5, subjects=10)
        fill(small, service=FIRST_SERVICE + 1, is_analyzed=False)
        rows.make(number)
        seconds = time.monotonic() - began
        print(f"\n{number:,} grants, {2 * number:,} tokens, {number:,} events: {seconds:.0f} s")
        connection.close()


def _hurry():
    with connection.cursor() as cursor:
        for setting in QUICK:
            cursor.execute(f"ALTER SYSTEM SET {setting}")
        cursor.execute("SELECT pg_reload_conf()")


@pytest.fixture
def big(db):
    return Service.objects.get(pk=FIRST_SERVICE)


@pytest.fixture(scope="session")
def known(django_db_setup, django_db_blocker):
    """The keys and the names that the pages' addresses need."""
    with django_db_blocker.unblock():
        return found.rows()
