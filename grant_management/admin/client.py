"""Clients: the applications that were granted something."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..models import Client, EventKind, Service
from ..models.stops import stops_of
from ..redaction import redacted
from .client_forms import NewClientForm, RenameForm
from .client_page import client_page
from .kit.actions import ObjectAction, OperatorAdmin, Text
from .kit.cut_off import CUT_OFF_SERVICE
from .kit.listing import Column, ListAdmin, ListForm, fields, moment
from .kit.making import make
from .kit.read_only import limited, operator

SUGGESTIONS: Final = 10
ADD: Final = "grant_management.add_client"
CHANGE: Final = "grant_management.change_client"


def _what_a_lock_stops(client: Client) -> Iterable[Text]:
    yield _("No token of %(client)s works until it is unlocked.") % {"client": client}


def _what_an_unlock_lets_through(client: Client) -> Iterable[Text]:
    yield _("Tokens of %(client)s that are still valid work again.") % {"client": client}


CUT_OFF_CLIENT = replace(CUT_OFF_SERVICE, permission="cut_off_client")


LOCK = ObjectAction(
    name="lock",
    permission="lock_client",
    label=_("Lock"),
    kind=EventKind.CLIENT_LOCKED,
    applies=lambda client: client.locked_at is None,
    describe=_what_a_lock_stops,
    perform=Client.lock,
    stops=stops_of,
    warns=_("Stops every grant and token of this client, until it is unlocked."),
)


UNLOCK = ObjectAction(
    name="unlock",
    permission="lock_client",
    label=_("Unlock"),
    kind=EventKind.CLIENT_UNLOCKED,
    applies=lambda client: client.locked_at is not None and client.deleted_at is None,
    describe=_what_an_unlock_lets_through,
    perform=Client.unlock,
    warns=_("Its grants and tokens that are still valid work again."),
)


class ClientListForm(ListForm):
    """Filters: service, and a part of a client ID or of a name."""

    searches = _("Client ID or name")
    search_help = _("A part of a client ID or of a name")

    def condition(self) -> Q | None:
        """The clients with the term in their client ID or in their name, in any case."""
        term = self.cleaned_data.get("q")
        return Q(client_id__icontains=term) | Q(name__icontains=term) if term else None


@admin.register(Client)
class ClientAdmin(ListAdmin[Client], OperatorAdmin[Client]):
    """Clients, with actions to lock, unlock and cut them off."""

    order = ("client_id", "pk")
    list_form = ClientListForm
    columns = (
        Column(
            _("Client ID"),
            lambda client: client.client_id,
            leads=True,
            key="client_id",
            sort=("client_id", "pk"),
            rising=_("by client ID"),
            falling=_("by client ID, from the end"),
            exported=fields("client_id", "service_id"),
        ),
        Column(
            _("Name"),
            lambda client: client.name,
            key="name",
            sort=("name", "pk"),
            rising=_("by name"),
            falling=_("by name, from the end"),
            exported=fields("name"),
        ),
        Column(_("Number"), lambda client: client.pk, key="number", exported=fields("id")),
        moment(_("Locked"), "locked_at", "locked"),
        moment(_("Cut off"), "not_before", "cut_off"),
        moment(_("Deleted"), "deleted_at", "deleted"),
    )
    file_name = "clients"
    object_actions = (LOCK, UNLOCK, CUT_OFF_CLIENT)
    change_form_template = "admin/grant_management/client.html"

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a client, and that of the suggestions for the script."""
        view = self.admin_site.admin_view(self.suggest_view)
        name = "grant_management_client_suggest"
        wrap, page = self.admin_site.admin_view, "grant_management_client"
        return [
            path("suggest/", view, name=name),
            path("create/", wrap(self.create_view), name=f"{page}_create"),
            path("<path:object_id>/edit/", wrap(self.edit_view), name=f"{page}_edit"),
            *super().get_urls(),
        ]

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """A button to create a client."""
        shown = super().tools(request)
        return (
            [*shown, (_("New client…"), self.url("create"))]
            if request.user.has_perm(ADD)
            else shown
        )

    def buttons(self, request: HttpRequest, row: Client) -> list[tuple[Text, str]]:
        """The actions, and the form that changes the client's name."""
        shown = super().buttons(request, row)
        may = request.user.has_perm(CHANGE) and row.deleted_at is None
        return [(_("Rename…"), self.url("edit", row)), *shown] if may else shown

    def create_view(self, request: HttpRequest) -> HttpResponse:
        """Create a client of a service that the operator sees."""
        if not (request.user.has_perm(ADD) and self.has_view_permission(request)):
            raise PermissionDenied
        rows = Service.objects.filter(deleted_at=None).order_by("name", "pk")
        form = NewClientForm(request.POST or None, services=limited(rows, request, "organization"))
        return make(self, request, _("New client"), form, lambda: form.save(operator(request)))

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Change a client's name."""
        if not (request.user.has_perm(CHANGE) and self.has_view_permission(request)):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None or row.deleted_at is not None:
            raise Http404
        form = RenameForm(request.POST or None, initial={"name": row.name})
        page, title = self.url("change", row), _("Rename client")
        by = operator(request)
        return make(self, request, title, form, lambda: form.save(row, by), row=row, page=page)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The client's page: its figures, grants, calls, refusals and events."""
        request.current_app = self.admin_site.name
        client = self.get_object(request, object_id)
        context = {} if client is None else client_page(client, request)
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    @redacted
    def suggest_view(self, request: HttpRequest) -> HttpResponse:
        """Client IDs that begin with the `q` that is posted, at the chosen `service` or at all, as
        JSON: `values`.
        """
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form, start = self._form(request), request.POST.get("q", "")
        if not start or not form.is_valid():
            return JsonResponse({"values": []})
        rows = self.all_rows().filter(client_id__gte=start)
        # Reads more rows than it shows: several services may have clients with the same ID.
        found = self._ordered(rows, form.chosen()).first(10 * SUGGESTIONS)
        known = dict.fromkeys(row.client_id for row in found if row.client_id.startswith(start))
        return JsonResponse({"values": list(known)[:SUGGESTIONS]})
