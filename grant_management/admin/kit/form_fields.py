"""Fields of forms that take what the other doors take."""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ...fields.field import Field
from ...fields.strings import Pattern, Text
from ...protocol import strict_json


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


class StrictDecoder(json.JSONDecoder):
    """The one strict reader, where a form expects a decoder."""

    def decode(self, s: str, *args: Any) -> Any:
        """JSONDecodeError, whatever is wrong with the text: how deep it is, how long a number."""
        try:
            return strict_json.loads(s)
        except ValueError as error:
            raise json.JSONDecodeError(str(error), s, 0) from None


class StrictJSONField(forms.JSONField):
    """A list as JSON, which refuses what the API refuses."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"decoder": StrictDecoder})

    def clean(self, value: Any) -> Any:
        """Nothing, `null` and `{}` are an empty list: the column takes no null."""
        return super().clean(value) or []
