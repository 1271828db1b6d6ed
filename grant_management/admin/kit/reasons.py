"""Why an operator acts: a reason out of a list, a note, and the number of a ticket."""

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ...fields import members as m
from ...models import Reason
from . import form_fields
from .content import cut

Text = str | Promise

REASONS: list[tuple[str, Text]] = [
    ("", "---------"),
    ("requested by user", _("requested by user")),
    ("requested by client", _("requested by client")),
    ("compromised key", _("compromised key")),
    ("suspected fraud", _("suspected fraud")),
    ("client offboarded", _("client offboarded")),
    ("regulator", _("regulator")),
    ("test data", _("test data")),
    ("other", _("other")),
]


def in_words(reason: str) -> str:
    """An event's reason, in the language of the page; one that a caller made up, as it is."""
    return str(dict(REASONS)[reason]) if reason and reason in dict(REASONS) else reason


def why_of(row: Any) -> str:
    """The reason, the note and the ticket of an event or a job, in one line."""
    return cut(" · ".join(one for one in (in_words(row.reason), row.note, row.ticket) if one))


class NoteForm(forms.Form):
    """A note and a ticket, for changes that need no reason."""

    note = form_fields.text(
        m.NOTE, label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    ticket = form_fields.text(m.TICKET, label=_("Ticket"), required=False)

    def why(self) -> Reason:
        """What was given, as the reason of an event."""
        values: dict[str, Any] = self.cleaned_data
        return Reason(values.get("reason", ""), values["note"], values["ticket"])


class ReasonForm(NoteForm):
    """Why an operator acts: a reason, each one click away; a note, and the number of a ticket."""

    reason = forms.ChoiceField(label=_("Reason"), choices=REASONS[1:], widget=forms.RadioSelect)
    field_order: Any = ("reason", "note", "ticket")
