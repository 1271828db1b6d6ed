"""Actions of operators on one row. A page says what the action will do and asks for a reason; a
POST performs it and leads to the event, which is the receipt.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ...fields import members as m
from ...models import Actor, EventKind, GrantEvent, Reason
from . import form_fields
from .read_only import ReadOnlyAdmin, operator
from .utc import exact

M = TypeVar("M", bound=models.Model)
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


class ReasonForm(forms.Form):
    """Why an operator acts: a reason out of a list, a note, and the number of a ticket."""

    reason = forms.ChoiceField(label=_("Reason"), choices=REASONS)
    note = form_fields.text(m.NOTE, label=_("Note"), required=False, widget=forms.Textarea)
    ticket = form_fields.text(m.TICKET, label=_("Ticket"), required=False)


@dataclass(frozen=True)
class ObjectAction:
    """An action on a row, and the page for it.

    `name` is the last part of the page's URL, `permission` a codename of this app, and `kind` the
    kind of event that the action writes. `applies` says whether the row can take the action now.
    `describe` yields what the page says first. `perform` returns whether this call did it: of
    several at the same moment, one does.
    """

    name: str
    permission: str
    label: Text
    kind: EventKind
    applies: Callable[[Any], bool]
    describe: Callable[[Any], Iterable[Text]]
    perform: Callable[[Any, Actor, Reason], bool]


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
        context = {} if row is None else {"buttons": self.buttons(request, row)}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def buttons(self, request: HttpRequest, row: M) -> list[tuple[Text, str]]:
        """A label and a URL for each action that this operator can take on this row now."""
        applying = [one for one in self.object_actions if one.applies(row)]
        return [
            (f"{one.label}…", self.url(one.name, row)) for one in applying if self.may(request, one)
        ]

    def _page_of(self, action: ObjectAction) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            if not self.may(request, action):
                raise PermissionDenied
            row = self.get_object(request, object_id)
            if row is None:
                raise Http404
            form = ReasonForm(request.POST or None)
            if request.method == "POST" and form.is_valid():
                return self._perform(request, action, row, Reason(**form.cleaned_data))
            return self._ask(request, action, row, form)

        return view

    def _ask(
        self, request: HttpRequest, action: ObjectAction, row: M, form: forms.Form
    ) -> HttpResponse:
        page, lines = self.url("change", row), list(action.describe(row))
        return self.page(
            request, "action.html", action.label, row=row, page=page, form=form, lines=lines
        )

    def _perform(
        self, request: HttpRequest, action: ObjectAction, row: M, why: Reason
    ) -> HttpResponse:
        """Perform the action, and go to the event as its receipt, which is safe to reload."""
        actor = operator(request)
        done = action.perform(row, actor, why)
        event = _last_event(action, row)
        if done and event is not None:
            messages.success(request, _("Done. This page is the receipt."))
            name = "admin:grant_management_grantevent_change"
            receipt = reverse(name, args=[event.pk], current_app=self.admin_site.name)
            return HttpResponseRedirect(receipt)
        messages.warning(request, _too_late(event))
        return HttpResponseRedirect(self.url("change", row))


def _too_late(event: GrantEvent | None) -> str:
    if event is None:
        return str(_("Nothing was changed: it was done already."))
    said = {"actor": event.actor, "at": exact(event.at)}
    return _("Already done by %(actor)s, at %(at)s.") % said


def _last_event(action: ObjectAction, row: Any) -> GrantEvent | None:
    """The newest event of this action about this row."""
    events = GrantEvent.objects.filter(kind=action.kind, **row.event_fields())
    return events.order_by("-at", "-pk").first()
