"""Form fields that accept the same values as the API and the import."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.db.models import QuerySet
from django.forms.models import ModelChoiceIterator

from ...fields.field import Field
from ...fields.strings import Choices, Pattern, Text
from ...fields.words import read_for_page
from .display import wire_name

if TYPE_CHECKING:
    _Choices = ModelChoiceIterator[Any]
    _ChoiceField = forms.ModelChoiceField[Any]
else:
    _Choices, _ChoiceField = ModelChoiceIterator, forms.ModelChoiceField


class _ReadOnce(_Choices):
    def __iter__(self) -> Iterator[Any]:
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        yield from map(self.choice, cast("RowField", self.field).rows)


class RowField(_ChoiceField):
    """A choice of rows, all of which are written: they are read by one statement, once.

    Django's field reads them through a cursor of the server, and the one that is chosen again. On
    PostgreSQL these are four statements, the first of which copies the rows.
    """

    iterator = _ReadOnce
    _rows: list[Any] | None = None

    @property
    def rows(self) -> list[Any]:
        """The rows of `queryset`, read the first time; or those that the page has read."""
        if self._rows is None:
            self._rows = list(cast("QuerySet[Any]", self.queryset))
        return self._rows

    @rows.setter
    def rows(self, read: list[Any]) -> None:
        self._rows = read

    def to_python(self, value: Any) -> Any:
        """The row that is chosen; None: none is. ValidationError: it is none of the rows."""
        if value in self.empty_values:
            return None
        wanted = str(self.prepare_value(value))
        found = [row for row in self.rows if str(self.prepare_value(row)) == wanted]
        if not found:
            said = self.error_messages["invalid_choice"]
            raise forms.ValidationError(said, code="invalid_choice", params={"value": value})
        return found[0]


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
    return read_for_page(lambda: member.read(value))


def choices(member: Choices, **options: Any) -> forms.MultipleChoiceField:
    """Boxes for the elements of this member's array."""
    named = [(choice, wire_name(choice)) for choice in member.choices]
    boxes = forms.CheckboxSelectMultiple
    return forms.MultipleChoiceField(choices=named, widget=boxes, required=False, **options)


class LinesField(forms.CharField):
    """An array of strings, one on each line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """The lines, of an array or of what was typed."""
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        """The strings, without empty lines and spaces around them."""
        lines = super().clean(value).splitlines()
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether other strings were typed."""
        return (initial or []) != self.clean(data)


def offer(field: Any, rows: "QuerySet[Any]") -> None:
    """Let the field choose among these rows; where there is one, it is chosen already."""
    field.queryset = rows
    only = list(rows[:2])
    field.initial = only[0] if len(only) == 1 else None
