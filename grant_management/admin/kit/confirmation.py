"""What an operator must type before an action, and the memory of what a page asked for.

The login session keeps it as it was shown. The numbers go on changing, and a phrase that changed
with them could never be typed.
"""

from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _

from ...db import clock
from ...db.counting import grouped
from ...protocol.times import to_seconds
from .reasons import ReasonForm

KEY: Final = "grant_management_asked"
KEPT: Final = 20
"""The most pages that a login session remembers."""
HOLDS: Final = 3_600
"""Seconds that a page is remembered; then what it stops is counted again."""
FEW: Final = 10
"""Grants or tokens that are stopped without anything typed but the reason."""
MANY: Final = 1_000
"""Grants or tokens up to which their number is typed; beyond, the name of what is stopped."""


class TypedForm(ReasonForm):
    """A reason, and the phrase as typed. `page` finds what the page asked for."""

    typed = forms.CharField(label=_("To confirm, type"), required=False)
    page = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
    field_order = ("typed", "reason", "note", "ticket", "page")


def phrase_for(damage: int, name: str) -> str:
    """What must be typed: nothing, the number, or the name, as the damage grows."""
    if damage <= FEW:
        return ""
    return grouped(damage) if damage <= MANY else _one_line(name)


def is_typed(phrase: str, text: str) -> bool:
    """Whether the text is the phrase; what separates a number's thousands may be left out."""
    typed, mark = _one_line(text), get_format("THOUSAND_SEPARATOR")
    number = phrase.replace(mark, "")
    return typed == phrase or (number.isdecimal() and typed.replace(mark, "") == number)


def show_phrase(form: forms.Form, phrase: str) -> None:
    """Ask for the phrase by the label of its field, or leave the field out."""
    if phrase:
        form.fields["typed"].label = _("To confirm, type %(phrase)s") % {"phrase": phrase}
        form.fields["typed"].label_suffix = ""  # it would look like a part of the phrase
        form.fields["typed"].required = True
        form.fields["typed"].widget.attrs["autocomplete"] = "off"
    else:
        del form.fields["typed"]


def _one_line(text: str) -> str:
    """The text with single spaces between its words, as a page shows it."""
    return " ".join(text.split())


def remember(request: HttpRequest, page: str, about: Any, asked: dict[str, Any]) -> None:
    """Keep what was asked on a page that is about something, which is a value of JSON."""
    pages = dict(request.session.get(KEY, {}))
    pages.pop(page, None)
    pages[page] = {"of": about, "at": to_seconds(clock.estimate()), **asked}
    request.session[KEY] = dict(list(pages.items())[-KEPT:])


def recall(request: HttpRequest, page: str, about: Any) -> dict[str, Any] | None:
    """What that page asked; None: nothing is remembered, it is too old or about something else."""
    asked = dict(request.session.get(KEY, {}).get(page, {}))
    shown, at = asked.pop("of", None), asked.pop("at", 0)
    if shown != about or not 0 <= to_seconds(clock.estimate()) - at <= HOLDS:
        return None
    return asked
