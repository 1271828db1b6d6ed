"""The page where an operator chooses the language and the time zone, and what a typed time is in
UTC.
"""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..models import OperatorPreference
from .kit.frame import zone_names
from .kit.language import offered, spoken
from .kit.plain_select import PlainSelect
from .kit.preference import Preference, choose, preference_of
from .kit.read_only import ReadOnlyAdmin
from .kit.zone import utc_of, zone_name


def _zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in zone_names()]


def _languages() -> list[tuple[str, Any]]:
    return [("", _("As this site has it")), *offered().items()]


class PreferenceForm(forms.Form):
    """The language of the pages, where the host has several, and the zone of times."""

    language = forms.ChoiceField(
        label=_("Language"),
        choices=_languages,
        required=False,
        help_text=_("Of all pages, from now on. Names and notes stay as they were written."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=_zones,
        widget=PlainSelect(attrs={"translate": "no"}),
        help_text=_("Times are shown and typed in it, on every page. Files and the API use UTC."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not offered():
            del self.fields["language"]

    def chosen(self) -> Preference:
        """What was chosen."""
        return Preference(**self.cleaned_data)


@admin.register(OperatorPreference)
class OperatorPreferenceAdmin(ReadOnlyAdmin[OperatorPreference]):
    """No list: a page for each operator's own choice."""

    def get_urls(self) -> list[URLPattern]:
        """The URL of the form, and that of the moment in UTC for the script."""
        wrap, name = self.admin_site.admin_view, "grant_management_operatorpreference"
        return [
            path("", wrap(self.choose_view), name=f"{name}_changelist"),
            path("utc/", wrap(self.utc_view), name=f"{name}_utc"),
        ]

    def choose_view(self, request: HttpRequest) -> HttpResponse:
        """Choose language and time zone; they are remembered for the next logins, too."""
        now = Preference(zone_name(), preference_of(request).language)
        form = PreferenceForm(request.POST or None, initial=now._asdict())
        if request.method == "POST" and form.is_valid():
            choose(request, form.chosen())
            with spoken(form.chosen().language):
                for said in _changes(now, form.chosen()):
                    messages.success(request, said)
            return HttpResponseRedirect(self.url("changelist"))
        title = _("Language and time zone") if offered() else _("Time zone")
        context: dict[str, Any] = {"form": form, "submit": _("Save")}
        return self.page(request, "form.html", title, **context)

    def utc_view(self, request: HttpRequest) -> HttpResponse:
        """What the text `at` that is posted is in UTC, as JSON: `utc`, "" where it is no moment."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return JsonResponse({"utc": utc_of(request.POST.get("at", ""))})

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """None, so that it is not in the site's list of models."""
        return {}


def _changes(before: Preference, after: Preference) -> Iterator[str]:
    """What is said after the change, in the language that is active then."""
    if before == after:
        yield gettext("Nothing was changed.")
    if before.language != after.language:
        yield gettext("The language was changed.")
    if before.time_zone != after.time_zone:
        yield gettext("The time zone was changed.")
