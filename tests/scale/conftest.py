import time

import pytest

from benchmarks.data import FIRST_SERVICE, Size, fill
from grant_management.models import Service

from ..ours import connection

WITHIN = 120
"""Seconds that the data may take."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, request):
    """Many grants, beside the few of another service; made once, and seen by every test."""
    number = request.config.getoption("--grants")
    if not number:
        pytest.skip("at scale: --db postgresql --grants 1000000")
    with django_db_blocker.unblock():
        began = time.monotonic()
        assert fill(Size(number), seconds=10 * WITHIN) == number
        seconds = time.monotonic() - began
        print(f"\n{number:,} grants, {2 * number:,} tokens, {number:,} events: {seconds:.0f} s")
        fill(Size(100, clients=5, subjects=10), service=FIRST_SERVICE + 1)
        connection.close()


@pytest.fixture
def big(db):
    return Service.objects.get(pk=FIRST_SERVICE)
