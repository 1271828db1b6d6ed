"""How times are shown, and the form fields for times that are typed: in the zone that the operator
chose (see `zone`), with the moment in UTC beside what is typed.
"""

import re
from datetime import UTC, datetime, time
from functools import cache
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .zone import ClockChange, exact, parse_time, utc_of, written, zone_name

__all__ = ["exact", "parse_time"]

NONE: Final = "\N{EN DASH}"


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
    """A function that shows the field by `exact_tag`. It takes the place of the field's name where
    Django's
    own pages would use the host's time zone.
    """

    def show(row: models.Model) -> str:
        return exact_tag(getattr(row, field.name))

    show.__name__ = field.name
    show.short_description = field.verbose_name  # type: ignore[attr-defined]
    show.admin_order_field = field.name  # type: ignore[attr-defined]
    return show


class MomentInput(forms.TextInput):
    """A text input with the moment in UTC beside it: what was typed, once it was sent; or at once,
    where the page's script runs.
    """

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Django's input; in a zone other than UTC, with the place for the moment in UTC."""
        shown = super().render(name, value, attrs, renderer)
        if zone_name() == "UTC":
            return shown
        utc = utc_of(str(value or ""))
        return format_html('{} <output class="gm-utc" data-utc>{}</output>', shown, utc)


def _named(label: Any) -> str:
    """A label that ends in (UTC), with the name of the operator's zone in its place."""
    return str(label).replace("(UTC)", f"({zone_name()})")


def named_zone(label: Any) -> Any:
    """The label, with the name of the zone as it is when the page is made."""
    return lazy(_named, str)(label)


class UTCDateTimeField(forms.DateTimeField):
    """The form field for every time: RFC 3339, in the operator's zone where there is no offset.

    Its value is in UTC. Django's own field would use the host's time zone and the language's
    formats. A text that was typed is shown again as it was typed, with the moment in UTC beside it.
    """

    widget = MomentInput
    of_a_day: time = time.min

    def __init__(self, **kwargs: Any) -> None:
        kwargs["label"] = named_zone(kwargs.get("label") or "")
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> datetime | None:
        """The moment; None: the field is empty. ValidationError: the text names no moment."""
        if value in self.empty_values:
            return None
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        try:
            return parse_time(str(value), self.of_a_day)
        except ClockChange as change:
            raise ValidationError(str(change), code="invalid") from None
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def prepare_value(self, value: Any) -> Any:
        """A moment as a text that can be typed in again; another value as it is."""
        if not isinstance(value, datetime):
            return value
        return written(value if value.tzinfo else value.replace(tzinfo=UTC), "auto")


class DayInput(MomentInput):
    """A date input, or a text input for a value that is not a day: a date input cannot show it."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Django's context, with the type of input that can show the value."""
        context = super().get_context(name, value, attrs)
        shown = context["widget"]["value"]
        is_day = shown is None or re.fullmatch(r"\d{4}-\d\d-\d\d", shown, re.ASCII)
        context["widget"]["type"] = "date" if is_day else "text"
        return context


class FirstMomentField(UTCDateTimeField):
    """A day of the operator's zone, taken as its first moment; or a moment."""

    widget = DayInput


class LastMomentField(UTCDateTimeField):
    """A day of the operator's zone, taken as its last moment; or a moment."""

    widget = DayInput
    of_a_day = time.max
