"""The zone that times are shown and typed in: the one that the operator chose, UTC at first.

Whatever zone it is, the page names it. The host's `TIME_ZONE`, the active time zone and the
language of a request have no effect: a cut-off that is read in another time zone than was meant
would stop too much or too little, and cannot be undone.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from django.utils.translation import gettext as _

# RFC 3339 §5.6, or a day alone. A space may stand for the T, seconds and zone may be absent, and
# the zone may be "UTC": so a time that `exact` shows can be typed in again.
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(Z|UTC|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


_zone: Final[ContextVar[tzinfo]] = ContextVar("grant_management_zone", default=UTC)


@contextmanager
def shown_in(zone: tzinfo) -> Iterator[None]:
    """In this context times are shown and typed in this zone."""
    token = _zone.set(zone)
    try:
        yield
    finally:
        _zone.reset(token)


def zone_name() -> str:
    """The name of the zone that times are shown in, such as `Europe/Berlin`."""
    zone = _zone.get()
    return "UTC" if zone is UTC else str(zone)


class ClockChange(ValueError):
    """The clocks were changed at that time, so it names no moment, or two. Its text says which."""


def parse_time(text: str, of_a_day: time = time.min) -> datetime:
    """The moment that a text names, converted to UTC. Without an offset the text is in the
    operator's zone; a day alone means the time `of_a_day` on it.

    ValueError: the text names no moment. ClockChange: nor does it in that zone, or it names two.
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a time of RFC 3339")
    day, clock, zone = found.groups()
    try:
        if clock is None:
            # Of two midnights the first begins the day, and the second ends it.
            fold = int(of_a_day != time.min)
            at = datetime.combine(date.fromisoformat(day), of_a_day, _zone.get())
            return at.replace(fold=fold).astimezone(UTC)
        if zone is None:
            return _local(datetime.fromisoformat(f"{day}T{clock}")).astimezone(UTC)
        offset = "+00:00" if zone.upper() in ("Z", "UTC") else zone
        return datetime.fromisoformat(f"{day}T{clock}{offset}").astimezone(UTC)
    except OverflowError:
        raise ValueError("before the year 1 or after 9999") from None


def _local(clock: datetime) -> datetime:
    """The moment at which clocks of the operator's zone show this. ClockChange: see there."""
    zone = _zone.get()
    first, second = (clock.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != clock:
        raise ClockChange(_("There is no such time in %s: clocks were put forward.") % zone)
    raise ClockChange(_("There are two such times in %s: add the offset, such as +02:00.") % zone)


def midnight(now: datetime) -> datetime:
    """When the day of now began in the operator's zone, in UTC."""
    return parse_time(now.astimezone(_zone.get()).date().isoformat())


def exact(at: datetime) -> str:
    """A time for an operator, to the second, in the operator's zone; a form takes it as it is."""
    return written(at, "seconds")


def written(at: datetime, timespec: str) -> str:
    """The time with its offset, or with `UTC`.

    It is in UTC where a form could not take it in the zone: near the years 1 and 9999, and where
    the offset had seconds.
    """
    try:
        shown = at.astimezone(_zone.get())
    except OverflowError:
        shown = at.astimezone(UTC)
    offset = shown.utcoffset() or timedelta(0)
    if shown.tzinfo is UTC or offset % timedelta(minutes=1):
        return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(' ', timespec)} UTC"
    text = shown.isoformat(" ", timespec)
    return f"{text[:-6]} {text[-6:]}"


def exact_utc(at: datetime) -> str:
    """A time to the second in UTC, to stand beside one in the operator's zone."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'seconds')} UTC"


def utc_of(text: str) -> str:
    """The moment that a typed text names, in UTC; "": it names none."""
    try:
        return exact_utc(parse_time(text))
    except ValueError:
        return ""
