"""The hour and the day of a time, on each database."""

from datetime import UTC, datetime

import pytest

from grant_management.db.periods import date_of, day_of, hour_of
from grant_management.models import Call

from ..ours import connection

TIMES = [
    datetime(2026, 3, 29, 0, 0, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 0, 0, 1, tzinfo=UTC),
]


@pytest.mark.parametrize("at", TIMES, ids=str)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_the_beginning_of_a_time(world, settings, at, zone):
    settings.TIME_ZONE = zone
    Call.objects.create(service=world.service, at=at, code="A277001")
    wanted = {"hour": hour_of("at"), "day": day_of("at"), "date": date_of("at")}
    found = Call.objects.values_list(*wanted.values()).get()
    hour = at.replace(minute=0, second=0, microsecond=0)
    assert found == (hour, hour.replace(hour=0), at.date())


def test_sqlite_calls_no_function_of_python(world):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has a function of its own")
    for one in (hour_of("at"), day_of("at"), date_of("at")):
        assert "django_" not in str(Call.objects.values(period=one).query)
