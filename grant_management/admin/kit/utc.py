"""Times in the admin: whether typed or shown, they are in UTC, and say so.

The host's `TIME_ZONE`, the active time zone and the language of a request have no effect. A cut-off
that is read in another time zone would stop too much or too little, and cannot be undone.
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
# RFC 3339 §5.6, or a day alone. A space may stand for the T, seconds and zone may be absent, and
# the zone may be "UTC": so a time that `exact` shows can be typed in again.
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(Z|UTC|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


def parse_time(text: str, of_a_day: time = time.min) -> datetime:
    """The moment that a text names, converted to UTC. Without an offset the text is in UTC; a day
    alone means the time `of_a_day` on it.

    ValueError: the text names no moment.
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
    """A time for an operator, to the second and in UTC; a form takes it as it is."""
    shown = at.astimezone(UTC).replace(tzinfo=None)
    return f"{shown.isoformat(sep=' ', timespec='seconds')} UTC"


def in_utc(at: datetime) -> str:
    """A time for another program: ISO 8601 in UTC, with the offset."""
    return at.astimezone(UTC).isoformat()


def exact_tag(at: datetime | None) -> str:
    """The exact time as HTML, for the page of a row and for a receipt; None is a dash."""
    if at is None:
        return NONE
    return format_html('<time datetime="{}">{}</time>', in_utc(at), exact(at))


@cache
def column(field: "models.DateTimeField[Any, Any]") -> Any:
    """A function that shows the field in UTC. It takes the place of the field's name where Django's
    own pages would use the host's time zone.
    """

    def show(row: models.Model) -> str:
        return exact_tag(getattr(row, field.name))

    show.__name__ = field.name
    show.short_description = field.verbose_name  # type: ignore[attr-defined]
    show.admin_order_field = field.name  # type: ignore[attr-defined]
    return show


class UTCDateTimeField(forms.DateTimeField):
    """The form field for every time: RFC 3339, in UTC where there is no offset.

    Django's own field would use the host's time zone and the language's formats. A text that was
    typed is shown again as it was typed.
    """

    widget = forms.TextInput
    of_a_day: time = time.min

    def to_python(self, value: Any) -> datetime | None:
        """The moment; None: the field is empty. ValidationError: the text names no moment."""
        if value in self.empty_values:
            return None
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        try:
            return parse_time(str(value), self.of_a_day)
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def prepare_value(self, value: Any) -> Any:
        """A moment as a text in UTC that can be typed in again; another value as it is."""
        if not isinstance(value, datetime):
            return value
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return f"{aware.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')} UTC"


class DayInput(forms.TextInput):
    """A date input, or a text input for a value that is not a day: a date input cannot show it."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Django's context, with the type of input that can show the value."""
        context = super().get_context(name, value, attrs)
        shown = context["widget"]["value"]
        is_day = shown is None or re.fullmatch(r"\d{4}-\d\d-\d\d", shown, re.ASCII)
        context["widget"]["type"] = "date" if is_day else "text"
        return context


class FirstMomentField(UTCDateTimeField):
    """A day (UTC), taken as its first moment; or a moment."""

    widget = DayInput


class LastMomentField(UTCDateTimeField):
    """A day (UTC), taken as its last moment; or a moment."""

    widget = DayInput
    of_a_day = time.max
