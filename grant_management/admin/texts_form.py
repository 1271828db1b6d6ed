"""Form fields for texts in several languages: a group for each, and empty ones for more."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from ..fields.web import Texts
from .kit import form_fields
from .kit.actions import ReasonForm, Text

SPARE: Final = 2
"""Groups that are empty."""
LABELS: Final[Mapping[str, Text]] = {
    "language": _("Language tag %(number)s, such as en or pt-BR"),
    "name": _("Name %(number)s"),
    "sentence": _("Sentence %(number)s"),
    "site": _("Site %(number)s"),
    "contact": _("Contact %(number)s"),
    "terms": _("Terms of use %(number)s"),
}


class TextsForm(ReasonForm):
    """Texts in several languages, and why they are changed. The first language is the default."""

    member: Texts

    def __init__(self, *args: Any, texts: Sequence[Mapping[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._groups = len(texts) + SPARE
        for number in range(self._groups):
            text = texts[number] if number < len(texts) else {}
            for name in self._names():
                self.fields[f"{name}_{number}"] = forms.CharField(
                    label=LABELS[name] % {"number": number + 1},
                    required=False,
                    initial=text.get(name, ""),
                )
        self.order_fields([name for name in self.fields if name not in ReasonForm.base_fields])

    def clean(self) -> dict[str, Any]:
        """The values, with `texts` as the API reads them. ValidationError: they are refused."""
        values: dict[str, Any] = super().clean() or {}
        groups = [
            {name: values.get(f"{name}_{number}", "") for name in self._names()}
            for number in range(self._groups)
        ]
        given = [group for group in groups if any(group.values())]
        values["texts"] = form_fields.taken(self.member, given)
        return values

    def _names(self) -> list[str]:
        return ["language", *(part.name for part in self.member.parts)]
