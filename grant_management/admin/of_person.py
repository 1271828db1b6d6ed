"""A filter of lists by a person. The address has the key of one of the person's grants, so that no
subject is in it.
"""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from ..models import Grant
from .kit.list_form import BetweenForm

GRANTS: Final = 1_000
"""The newest grants of a person whose calls a list has."""


class OfPersonForm(BetweenForm):
    """Adds the filter `person`: the key of a grant, whose subject is the person."""

    person = forms.UUIDField(label=_("Person"), required=False, widget=forms.HiddenInput)

    def clean_person(self) -> Grant | None:
        """The grant. ValidationError: the operator sees none of this key that has a subject."""
        key = self.cleaned_data["person"]
        if key is None:
            return None
        rows = Grant.objects.filter(service__in=self.services, pk=key).exclude(subject=None)
        found: Grant | None = rows.only("subject").first()
        if found is None:
            raise forms.ValidationError(_("There is no such person."))
        return found

    def subject(self) -> str | None:
        """The subject of the person; None: the list is of all."""
        person: Grant | None = self.cleaned_data.get("person")
        return None if person is None else person.subject

    def grant_ids(self) -> list[str]:
        """The grant IDs of the person at the services of the list, of the newest `GRANTS` each."""
        rows = Grant.objects.filter(service__in=self.chosen(), subject=self.subject())
        return list(rows.order_by("-created_at").values_list("grant_id", flat=True)[:GRANTS])

    def _in_words(self, field: Any, value: str) -> str:
        if field.name == "person" and self.is_valid():
            return str(self.subject())
        return super()._in_words(field, value)
