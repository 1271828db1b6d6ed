"""Fields of forms that take what the other doors take."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ..fields.field import Field
from ..fields.strings import Pattern, Text
from ..protocol import strict_json


def text(member: Text | Pattern, **options: Any) -> forms.CharField:
    """A field for this member, with its bounds; what else it refuses it refuses in its words."""
    longest = member.longest if isinstance(member, Text) else None
    return forms.CharField(max_length=longest, validators=[follows(member)], **options)


def follows(member: Field) -> Callable[[Any], None]:
    """A validator of a form's value."""

    def validate(value: Any) -> None:
        taken(member, value)

    return validate


def taken(member: Field, value: Any) -> Any:
    """The value that the models have. ValidationError: the member's sentence."""
    try:
        return member.read(value)
    except ValueError as error:
        raise ValidationError(f"It {error}.") from None


class StrictJSONField(forms.JSONField):
    """A JSON text, read as the API reads one."""

    def to_python(self, value: Any) -> Any:
        """The value. ValidationError: it is not strict JSON."""
        if isinstance(value, str) and value:
            try:
                strict_json.loads(value)
            except ValueError as error:
                raise ValidationError(f"It cannot be read: {error}.") from None
        return super().to_python(value)
