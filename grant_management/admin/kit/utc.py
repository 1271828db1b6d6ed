"""One zone, and it is named: every time that is typed into the admin or shown by it is in UTC.

The host's `TIME_ZONE`, the zone that was activated for a request and the language of a request
change nothing: a cut-off that is read in another zone kills too much or too little, for good.
"""

import re
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html

NONE: Final = "\N{EN DASH}"
# RFC 3339 §5.6, a space allowed; seconds and zone may be absent. As it is shown, it can be typed.
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(Z|UTC|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


def parse_time(text: str, of_a_day: time = time.min) -> datetime:
    """The moment that a text names, in UTC unless it has an offset; of a day alone, `of_a_day`.

    ValueError: it names none.
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a time of RFC 3339")
    day, clock, zone = found.groups()
    if clock is None:
        return datetime.combine(date.fromisoformat(day), of_a_day, UTC)
    offset = "+00:00" if zone is None or zone.upper() in ("Z", "UTC") else zone
    try:
        return datetime.fromisoformat(f"{day}T{clock}{offset}").astimezone(UTC)
    except OverflowError:
        raise ValueError("before the year 1 or after 9999") from None


def exact(at: datetime) -> str:
    """A time as it is read, and can be typed: to the second, with its zone."""
    shown = at.astimezone(UTC).replace(tzinfo=None)
    return f"{shown.isoformat(sep=' ', timespec='seconds')} UTC"


def in_utc(at: datetime) -> str:
    """A time for another program: ISO 8601, with its offset."""
    return at.astimezone(UTC).isoformat()


def exact_tag(at: datetime | None) -> str:
    """A time as it stands on a row's own page and on a receipt."""
    if at is None:
        return NONE
    return format_html('<time datetime="{}">{}</time>', in_utc(at), exact(at))


@cache
def column(field: "models.DateTimeField[Any, Any]") -> Any:
    """In place of a field's name, where Django's own pages would show it in the host's zone."""

    def show(row: models.Model) -> str:
        return exact_tag(getattr(row, field.name))

    show.__name__ = field.name
    show.short_description = field.verbose_name  # type: ignore[attr-defined]
    show.admin_order_field = field.name  # type: ignore[attr-defined]
    return show


class UTCDateTimeField(forms.DateTimeField):
    """The one field for times in forms: RFC 3339, in UTC where no offset is said.

    Django's own would read the host's zone and the formats of the language. What was typed is
    shown again as it was typed.
    """

    widget = forms.TextInput
    of_a_day: time = time.min

    def to_python(self, value: Any) -> datetime | None:
        """ValidationError: it names no moment."""
        if value in self.empty_values:
            return None
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        try:
            return parse_time(str(value), self.of_a_day)
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def prepare_value(self, value: Any) -> Any:
        """A moment as it can be typed, whatever the zone and the language."""
        if not isinstance(value, datetime):
            return value
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return f"{aware.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')} UTC"


class DayInput(forms.TextInput):
    """A calendar, but where something else than a day was given: a calendar cannot show that."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """With the type of the input."""
        context = super().get_context(name, value, attrs)
        shown = context["widget"]["value"]
        is_day = shown is None or re.fullmatch(r"\d{4}-\d\d-\d\d", shown, re.ASCII)
        context["widget"]["type"] = "date" if is_day else "text"
        return context


class FirstMomentField(UTCDateTimeField):
    """A day (UTC), from its first moment on; or a moment."""

    widget = DayInput


class LastMomentField(UTCDateTimeField):
    """A day (UTC), up to its last moment; or a moment."""

    widget = DayInput
    of_a_day = time.max
