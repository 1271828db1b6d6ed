"""The log of calls, which shows why a call was refused."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..conf import DOCUMENTS
from ..db.counting import grouped
from ..db.keyset import Rows
from ..models import Call
from ..protocol.results import GMAction, Result
from .kit.content import cut
from .kit.display import identifier, state, time_tag
from .kit.listing import Column, ListAdmin, fields, text
from .kit.utc import exact_tag
from .of_person import GRANTS, OfPersonForm

ACTIONS = [
    ("", _("Any")),
    *((name.value, name.value) for name in (GMAction.QUERY, GMAction.REVOKE)),
]
DONE = (Result.QUERIED.code, Result.REVOKED.code)
SAID = {
    "The token, its grant and its client are alive": _(
        "The token, its grant and its client are valid"
    )
}
"""What a page says in place of a check's title in the log."""


class CallListForm(OfPersonForm):
    """Filters: grant ID and time; action, result, code, client and request."""

    searches = _("Grant ID")
    is_keyed = True
    action = forms.ChoiceField(label=_("Action"), required=False, choices=ACTIONS)
    outcome = forms.ChoiceField(
        label=_("Result"),
        required=False,
        choices=[("", _("Any")), ("done", _("Done")), ("refused", _("Refused"))],
    )
    code = forms.CharField(label=_("Code"), required=False)
    client = forms.CharField(
        label=_("Client ID"),
        required=False,
        widget=forms.TextInput(attrs={"data-suggest": "client", "autocomplete": "off"}),
    )
    request_id = forms.CharField(label=_("Request ID"), required=False)

    def narrow(self, rows: Rows) -> Rows:
        """By grant ID, client ID, person and time."""
        names = {"q": "grant_id", "client": "client_id"}
        values = {names[name]: value for name, value in self.given(*names).items()}
        if self.subject() is not None:
            rows = rows.filter(grant_id__in=self.grant_ids())
        return super().narrow(rows).filter(**values)

    def condition(self) -> Q | None:
        """By action, outcome, code and request ID."""
        found = Q(**self.given("action", "code", "request_id"))
        if self.cleaned_data.get("outcome") == "done":
            found &= Q(code__in=DONE)
        elif self.cleaned_data.get("outcome") == "refused":
            found &= ~Q(code__in=DONE)
        return found or None


def outcome(call: Call) -> str:
    """Whether it was answered or refused, as an icon and a word."""
    done = call.code in DONE
    return state("passed" if done else "refused", _("Done") if done else _("Refused"))


def _outcome_value(call: Call) -> str:
    return "done" if call.code in DONE else "refused"


@admin.register(Call)
class CallAdmin(ListAdmin[Call]):
    """Calls, each with its checks and its answer."""

    list_form = CallListForm
    large = ("answer", "steps")
    columns = (
        Column(
            _("When"),
            lambda call: time_tag(call.at),
            leads=True,
            key="at",
            sort=("pk",),
            exported=fields("id", "service_id", "at"),
        ),
        Column(_("Result"), outcome, key="outcome", exported={"outcome": _outcome_value}),
        text(_("Action"), "action", "action"),
        text(_("Code"), "code", "code"),
        text(_("Client"), "client_id", "client"),
        Column(
            _("Grant"),
            lambda call: identifier(call.grant_id, _("grant ID")),
            key="grant",
            exported=fields("grant_id"),
        ),
    )
    file_name = "calls"
    empty_text = _(
        "No calls are logged. Set “Call log size” above 0 on the service's page to log them."
    )
    change_form_template = "admin/grant_management/call.html"

    def note(self, form: CallListForm) -> Any:
        """That a person has more grants than are looked at, where it is so."""
        if form.subject() is None or len(form.grant_ids()) < GRANTS:
            return ""
        return _("Only calls of the newest %(n)s grants of this person.") % {"n": grouped(GRANTS)}

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a call, and that of the table of codes."""
        view = self.admin_site.admin_view(self.codes_view)
        return [path("codes/", view, name="grant_management_call_codes"), *super().get_urls()]

    def codes_view(self, request: HttpRequest) -> HttpResponse:
        """A table of every result code and its meaning; each leads to what to do, which the
        documents say.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {"results": list(_rows()), "documents": f"{DOCUMENTS}/reference/codes.md"}
        title = _("Result codes")
        return self.page(request, "codes.html", title, section="codes", **context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The call's page: its result message, its checks and the answer that was sent."""
        call = self.get_object(request, object_id)
        context = {} if call is None else _shown(call)
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))


def _rows() -> Iterator[dict[str, Any]]:
    """The results for the template. The first result of each code is what links lead to."""
    names, seen = ("name", "code", "status", "error", "text"), set()
    # Once, and not for each row.
    advice, calls = (
        gettext("%(code)s: what to do, in the documents"),
        gettext("Calls with the code %(code)s"),
    )
    for result in Result:
        anchor = "" if result.code in seen else result.code
        seen.add(result.code)
        action = result.action.value if result.action else None
        row = {name: getattr(result, name) for name in names}
        said = {"advice": advice % row, "calls": calls % row}
        yield row | {"action": action, "anchor": anchor, **said}


def shown_step(step: dict[str, Any]) -> dict[str, Any]:
    """A check of a call for the template, with a badge. Its texts are cut, since a value that was
    compared may be as long as a body.
    """
    texts = {name: cut(str(step[name])) for name in ("why", "expected", "presented")}
    title = SAID.get(step["title"]) or gettext(step["title"])
    badge = state(step["state"], gettext(step["state"]))
    return step | texts | {"title": title, "badge": badge}


def _shown(call: Call) -> dict[str, Any]:
    return {
        "call": call,
        "outcome": outcome(call),
        "at": exact_tag(call.at),
        "grant": identifier(call.grant_id),
        "steps": [shown_step(step) for step in call.steps],
        "answer": {name: cut(str(value)) for name, value in call.answer.items()},
    }
