"""The search of the admin: one text, looked up among rows of every kind.

The text is posted, and answered with a page that nobody keeps: it is in no URL, no log and no
event, and the page does not show it again. It may be a token, which looks like a grant ID, so its
digest is looked up too.
"""

from typing import Any, Final

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..models import Grant, Service
from ..redaction import redacted
from .kit.database import databases
from .kit.read_only import limited
from .person import PersonPages
from .search_kinds import BEGINNING, KINDS
from .sought import Kind, Sought, may_see

LONGEST: Final = 4096
"""The most characters of a search. A token that is longer is no token of a service here."""


class SearchForm(forms.Form):
    """The text, as it was typed: the spaces around it may belong to a token."""

    text = forms.CharField(label=_("Search"), strip=False, max_length=LONGEST)

    def clean_text(self) -> str:
        """The text. ValidationError: it has nothing but spaces."""
        text: str = self.cleaned_data["text"]
        if not text.strip():
            raise forms.ValidationError(self.fields["text"].error_messages["required"])
        return text


class SearchPage(PersonPages):
    """The search, as a page beside the list of grants."""

    def get_urls(self) -> list[URLPattern]:
        """With the URL of the search."""
        view = self.admin_site.admin_view(self.find_view)
        return [path("find/", view, name="grant_management_grant_find"), *super().get_urls()]

    @redacted
    def find_view(self, request: HttpRequest) -> HttpResponse:
        """The result of a search (POST), or the page without one."""
        request.current_app = self.admin_site.name
        kinds = [kind for kind in KINDS if self._may_view(request, kind)]
        if not kinds:
            raise PermissionDenied
        services = limited(Service.objects.order_by("pk"), request, "organization")
        numbers = list(services.values_list("pk", flat=True))
        form = SearchForm(request.POST) if request.method == "POST" else None
        context: dict[str, Any] = {"kinds": kinds, "number": len(numbers), "section": "search"}
        if form is not None and form.is_valid():
            sought = Sought(form.cleaned_data["text"], numbers, self.admin_site, request)
            context |= self._searched(sought, kinds)
        context["errors"] = form.errors.get("text") if form is not None else None
        context["database"] = next((one for one, is_shown in databases(request) if is_shown), "")
        response = self.page(request, "find.html", _("Search"), **context)
        response["Cache-Control"] = "no-store"
        return response

    def _may_view(self, request: HttpRequest, kind: Kind) -> bool:
        return any(may_see(self.admin_site, request, model) for model in kind.models)

    def _searched(self, sought: Sought, kinds: list[Kind]) -> dict[str, Any]:
        groups = [(kind.title, kind.find(sought)) for kind in kinds]
        if all(map(sought.sees, BEGINNING.models)):
            groups.append((BEGINNING.title, BEGINNING.find(sought)))
        found = {"is_searched": True, "groups": [group for group in groups if group[1]]}
        if not sought.sees(Grant):
            return found
        rows = self.get_queryset(sought.request).exclude(subject=None)
        # Without an order, so that the database has no reason to follow the primary key.
        people = rows.filter(service__in=sought.services, subject=sought.text)[:1]
        for person in people:
            found |= self.grants_of(sought.request, person, sought.services)
        return found
