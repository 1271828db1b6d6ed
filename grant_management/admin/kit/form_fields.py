"""Form fields that accept the same values as the API and the import."""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ...fields.field import Field
from ...fields.strings import Pattern, Text
from ...protocol import strict_json


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


class StrictDecoder(json.JSONDecoder):
    """The strict JSON reader, in the shape of the decoder that a form field takes."""

    def decode(self, s: str, *args: Any) -> Any:
        """The value of the text.

        JSONDecodeError, the only error that the form field handles: the text is not JSON, or is
        beyond a limit, such as that of depth.
        """
        try:
            return strict_json.loads(s)
        except ValueError as error:
            raise json.JSONDecodeError(str(error), s, 0) from None


class StrictJSONField(forms.JSONField):
    """A list as JSON, refused where the API would refuse the text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"decoder": StrictDecoder})

    def clean(self, value: Any) -> Any:
        """The value, or an empty list for one such as `null`, which the column cannot hold."""
        return super().clean(value) or []
