"""The page where an operator chooses a time zone, and what a typed time is in UTC."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..models import OperatorPreference
from .kit.frame import choose_zone, zone_names
from .kit.read_only import ReadOnlyAdmin
from .kit.zone import utc_of, zone_name


def _choices() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in zone_names()]


class TimeZoneForm(forms.Form):
    """The zone that times are shown and typed in."""

    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=_choices,
        help_text=_("Times are shown and typed in it, on every page. Files and the API use UTC."),
    )


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
        """Choose the time zone; it is remembered for the next logins, too."""
        form = TimeZoneForm(request.POST or None, initial={"time_zone": zone_name()})
        if request.method == "POST" and form.is_valid():
            choose_zone(request, form.cleaned_data["time_zone"])
            messages.success(request, _("The time zone was changed."))
            return HttpResponseRedirect(self.url("changelist"))
        context: dict[str, Any] = {"form": form, "submit": _("Save")}
        return self.page(request, "form.html", _("Time zone"), **context)

    def utc_view(self, request: HttpRequest) -> JsonResponse:
        """What the text `at` in the query is in UTC, as JSON: `utc`, "" where it is no moment."""
        return JsonResponse({"utc": utc_of(request.GET.get("at", ""))})

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """None, so that it is not in the site's list of models."""
        return {}
