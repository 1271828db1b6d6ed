"""Form fields that accept the same values as the API and the import."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from ...fields.field import Field
from ...fields.strings import Choices, Pattern, Text


def text(member: Text | Pattern, **options: Any) -> forms.CharField:
    """A form field for this member, with its maximum length and a validator for its other rules."""
    longest = member.longest if isinstance(member, Text) else None
    return forms.CharField(max_length=longest, validators=[follows(member)], **options)


def follows(member: Field) -> Callable[[Any], None]:
    """A validator that raises ValidationError for a value that the member refuses."""

    def validate(value: Any) -> None:
        taken(member, value)

    return validate


def taken(member: Field, value: Any) -> Any:
    """The value as the models store it. ValidationError: the member refuses it, in its sentence."""
    try:
        return member.read(value)
    except ValueError as error:
        raise ValidationError(f"It {error}.") from None


def choices(member: Choices, **options: Any) -> forms.MultipleChoiceField:
    """Boxes for the elements of this member's array."""
    named = [(choice, choice) for choice in member.choices]
    boxes = forms.CheckboxSelectMultiple
    return forms.MultipleChoiceField(choices=named, widget=boxes, required=False, **options)


def offer(field: Any, rows: "QuerySet[Any]") -> None:
    """Let the field choose among these rows; where there is one, it is chosen already."""
    field.queryset = rows
    only = list(rows[:2])
    field.initial = only[0] if len(only) == 1 else None
