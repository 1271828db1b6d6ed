"""Actions of operators on one row. A page says what the action will do and asks for a reason, and
for more the more it stops; a POST performs it and leads to the event, which is the receipt.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from ...models import Client, EventKind, GrantEvent, Reason
from ...models.stops import Stops
from .confirmation import TypedForm, is_typed, phrase_for, recall, remember, show_phrase
from .read_only import ReadOnlyAdmin, operator
from .reasons import REASONS, ReasonForm, Text
from .utc import exact

__all__ = ["REASONS", "ObjectAction", "OperatorAdmin", "ReasonForm", "Text"]

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class ObjectAction:
    """An action on a row, and the page for it.

    `name` is the last part of the page's URL, `permission` a codename of this app, and `kind` the
    kind of event that the action writes. `applies` says whether the row can take the action now.
    `describe` yields what the page says first. `perform` returns whether this call did it: of
    several at the same moment, one does. `stops` counts what it would stop; `perform` then takes
    the numbers as `told`, the details of its event. `says_numbers`: `describe` says the numbers in
    words of its own. `warns` says in one sentence, beside the button, what the action does: it sets
    the button apart from those that do no harm.
    """

    name: str
    permission: str
    label: Text
    kind: EventKind
    applies: Callable[[Any], bool]
    describe: Callable[[Any], Iterable[Text]]
    perform: Callable[..., bool]
    stops: Callable[[Any], Stops] | None = None
    says_numbers: bool = False
    warns: Text = ""


class OperatorAdmin(ReadOnlyAdmin[M]):
    """A read-only admin with actions, each a button for the operators who have its permission."""

    object_actions: tuple[ObjectAction, ...] = ()
    change_form_template = "admin/grant_management/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a row, and that of each action."""
        pages = [
            path(
                f"<path:object_id>/{action.name}/",
                self.admin_site.admin_view(self._page_of(action)),
                name=f"grant_management_{self.opts.model_name}_{action.name}",
            )
            for action in self.object_actions
        ]
        return [*pages, *super().get_urls()]

    def may(self, request: HttpRequest, action: ObjectAction) -> bool:
        """Whether the operator may view this model and has the permission of the action."""
        given = request.user.has_perm(f"grant_management.{action.permission}")
        return given and self.has_view_permission(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The row, with a button for each action that it can still take."""
        row = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if row is not None:
            context = {"buttons": self.buttons(request, row), "dangers": self.dangers(request, row)}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def buttons(self, request: HttpRequest, row: M) -> list[tuple[Text, str]]:
        """A label and a URL for each action without a warning that the operator can take now."""
        offered = self._offered(request, row)
        return [(f"{one.label}…", self.url(one.name, row)) for one in offered if not one.warns]

    def dangers(self, request: HttpRequest, row: M) -> list[tuple[Text, str, Text]]:
        """The label, the URL and the warning of each of the others."""
        offered = self._offered(request, row)
        return [
            (f"{one.label}…", self.url(one.name, row), one.warns) for one in offered if one.warns
        ]

    def _offered(self, request: HttpRequest, row: M) -> list[ObjectAction]:
        applying = [one for one in self.object_actions if one.applies(row)]
        return [one for one in applying if self.may(request, one)]

    def _page_of(self, action: ObjectAction) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            if not self.may(request, action):
                raise PermissionDenied
            row = self.get_object(request, object_id)
            if row is None:
                raise Http404
            form = TypedForm(request.POST or None, initial={"page": str(uuid.uuid4())})
            if request.method == "POST" and form.is_valid():
                asked = self._asked(request, action, row, form.cleaned_data["page"])
                if is_typed(asked["phrase"], form.cleaned_data["typed"]):
                    return self._perform(request, action, row, form.why(), asked["told"])
                form.add_error("typed", _("The text does not match the phrase."))
            return self._ask(request, action, row, form)

        return view

    def _asked(
        self, request: HttpRequest, action: ObjectAction, row: M, page: str
    ) -> dict[str, Any]:
        """What the page asked for: `phrase`; and `told`, the details of the event.

        A page that the login session no longer remembers asks for what stops now.
        """
        found = recall(request, page, _about(action, row))
        return _needed(action, row, _counted(action, row)) if found is None else found

    def _ask(
        self, request: HttpRequest, action: ObjectAction, row: M, form: TypedForm
    ) -> HttpResponse:
        """The page that says what the action stops, and asks to confirm it."""
        stops = _counted(action, row)
        page = form.cleaned_data.get("page") if form.is_bound else form.initial["page"]
        # Where the page is shown again, what it asked for at first still holds.
        asked = recall(request, page or "", _about(action, row)) or _needed(action, row, stops)
        if page:
            remember(request, page, _about(action, row), asked)
        show_phrase(form, asked["phrase"])
        counted = stops.lines() if stops and not action.says_numbers else ()
        lines = [*counted, *action.describe(row)]
        context = {"page": self.url("change", row), "form": form, "lines": lines, "row": row}
        return self.page(request, "action.html", action.label, **context)

    def _perform(
        self,
        request: HttpRequest,
        action: ObjectAction,
        row: M,
        why: Reason,
        told: dict[str, Any],
    ) -> HttpResponse:
        """Perform the action, and go to the event as its receipt, which is safe to reload."""
        more = {"told": told} if action.stops else {}
        done = action.perform(row, operator(request), why, **more)
        event = _last_event(action, row)
        if done and event is not None:
            messages.success(request, _("Done. This page is the receipt."))
            name = "admin:grant_management_grantevent_change"
            receipt = reverse(name, args=[event.pk], current_app=self.admin_site.name)
            return HttpResponseRedirect(receipt)
        messages.warning(request, _too_late(event))
        return HttpResponseRedirect(self.url("change", row))


def _counted(action: ObjectAction, row: Any) -> Stops | None:
    return action.stops(row) if action.stops else None


def _needed(action: ObjectAction, row: Any, stops: Stops | None) -> dict[str, Any]:
    """What a page asks for, as the login session keeps it."""
    if stops is None:
        return {"phrase": "", "told": {}}
    return {"phrase": phrase_for(stops.damage, _name_of(row)), "told": stops.as_json()}


def _about(action: ObjectAction, row: Any) -> list[str]:
    return [action.name, row._meta.label, str(row.pk)]


def _name_of(row: Any) -> str:
    """What an operator types: the client ID of a client, the name of anything else."""
    return row.client_id if isinstance(row, Client) else str(row)


def _too_late(event: GrantEvent | None) -> str:
    if event is None:
        return str(_("Nothing was changed: it was done already."))
    said = {"actor": event.actor, "at": exact(event.at)}
    return _("Already done by %(actor)s, at %(at)s.") % said


def _last_event(action: ObjectAction, row: Any) -> GrantEvent | None:
    """The newest event of this action about this row."""
    events = GrantEvent.objects.filter(kind=action.kind, **row.event_fields())
    return events.order_by("-at", "-pk").first()
