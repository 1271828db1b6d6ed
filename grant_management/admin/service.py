"""Organizations, services and clients."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..models import Client, EventKind, Organization, Service
from ..models.cut_off import CutOff
from .actions import ObjectAction, OperatorAdmin, Text
from .display import moment
from .keyset import Rows
from .listing import Column, ListAdmin, ListForm
from .read_only import ReadOnlyAdmin, operator
from .settings import SettingsForm, portrait
from .what_if import WhatIfForm, ask

SUGGESTIONS: Final = 10
CHANGE: Final = "grant_management.change_service"


def _what_a_cut_off_stops(target: Service | Client) -> Iterable[Text]:
    yield _("Every grant and every token of %(target)s that came before now is dead at once.") % {
        "target": target
    }
    yield _("What comes after now is not touched. It cannot be undone.")


def _what_a_lock_stops(client: Client) -> Iterable[Text]:
    yield _("No token of %(client)s works until it is unlocked.") % {"client": client}


def _what_an_unlock_lets_through(client: Client) -> Iterable[Text]:
    yield _("Tokens of %(client)s that are still alive work again.") % {"client": client}


CUT_OFF_SERVICE = ObjectAction(
    name="cut-off",
    permission="cut_off_service",
    label=_("Cut off"),
    kind=EventKind.CUT_OFF,
    applies=lambda target: True,
    describe=_what_a_cut_off_stops,
    perform=CutOff.move_cut_off,
)
CUT_OFF_CLIENT = replace(CUT_OFF_SERVICE, permission="cut_off_client")
LOCK = ObjectAction(
    name="lock",
    permission="lock_client",
    label=_("Lock"),
    kind=EventKind.CLIENT_LOCKED,
    applies=lambda client: client.locked_at is None,
    describe=_what_a_lock_stops,
    perform=Client.lock,
)
UNLOCK = ObjectAction(
    name="unlock",
    permission="lock_client",
    label=_("Unlock"),
    kind=EventKind.CLIENT_UNLOCKED,
    applies=lambda client: client.locked_at is not None,
    describe=_what_an_unlock_lets_through,
    perform=Client.unlock,
)


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin[Organization]):
    """Who owns services."""

    organization_path = "pk"
    list_display = ("name", "id")
    search_fields = ("name__startswith",)


@admin.register(Service)
class ServiceAdmin(OperatorAdmin[Service]):
    """A tenant and its settings, and a place to try a call."""

    organization_path = "organization"
    list_display = ("name", "id", "organization", "grant_management_endpoint", "not_before")
    list_select_related = ("organization",)
    search_fields = ("name__startswith",)
    object_actions = (CUT_OFF_SERVICE,)
    change_form_template = "admin/grant_management/service.html"

    def get_urls(self) -> list[URLPattern]:
        """Two more pages."""
        wrap, name = self.admin_site.admin_view, "grant_management_service"
        return [
            path("<path:object_id>/what-if/", wrap(self.what_if_view), name=f"{name}_what_if"),
            path("<path:object_id>/settings/", wrap(self.settings_view), name=f"{name}_settings"),
            *super().get_urls(),
        ]

    def buttons(self, request: HttpRequest, row: Service) -> list[tuple[Text, str]]:
        """Also the tester, for those who may revoke: it takes credentials; and the settings."""
        shown = super().buttons(request, row)
        if request.user.has_perm(CHANGE):
            shown.insert(0, (_("Change settings…"), self.url("settings", row)))
        if self._may_try(request):
            shown.insert(0, (_("What would gm answer?"), self.url("what_if", row)))
        return shown

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The settings in groups, with what each does; the nonces; how to point an SDK at it."""
        service = self.get_object(request, object_id)
        context = {} if service is None else portrait(service, request)
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def settings_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Other settings, with a reason: in force at the next call."""
        if not (request.user.has_perm(CHANGE) and self.has_view_permission(request)):
            raise PermissionDenied
        service = self._service(request, object_id)
        form = SettingsForm(request.POST or None, instance=service)
        if request.method == "POST" and form.is_valid():
            actor = operator(request)
            changed = form.change(actor)
            said = _("Changed: %(names)s.") if changed else _("Nothing was changed.")
            messages.success(request, said % {"names": ", ".join(changed)})
            return HttpResponseRedirect(self.url("change", service))
        title, page = _("Change settings"), self.url("change", service)
        lines = [_("What is changed here holds from the next call on.")]
        return self.page(
            request, "action.html", title, row=service, page=page, form=form, lines=lines
        )

    def what_if_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Each check of a call that is pasted, without its effects."""
        if not self._may_try(request):
            raise PermissionDenied
        service = self._service(request, object_id)
        form = WhatIfForm(request.POST or None, initial={"grant_id": request.GET.get("grant_id")})
        said = ask(service, form) if request.method == "POST" and form.is_valid() else {}
        page = self.url("change", service)
        title = _("What would gm answer?")
        response = self.page(
            request, "what_if.html", title, row=service, page=page, form=form, **said
        )
        response["Cache-Control"] = "no-store"
        return response

    def _service(self, request: HttpRequest, object_id: str) -> Service:
        service = self.get_object(request, object_id)
        if service is None:
            raise Http404
        return service

    def _may_try(self, request: HttpRequest) -> bool:
        may = request.user.has_perm("grant_management.revoke_grant")
        return may and self.has_view_permission(request)


class ClientListForm(ListForm):
    """By client ID."""

    search_help = _("Exact: a client ID")

    def narrow(self, rows: Rows) -> Rows:
        """The one of that ID at each service."""
        return rows.filter(client_id=term) if (term := self.cleaned_data.get("q")) else rows


@admin.register(Client)
class ClientAdmin(ListAdmin[Client], OperatorAdmin[Client]):
    """An application."""

    order = ("client_id", "pk")
    list_form = ClientListForm
    columns = (
        Column(_("Client ID"), lambda client: client.client_id, leads=True),
        Column(_("Name"), lambda client: client.name),
        Column(_("Number"), lambda client: client.pk),
        Column(_("Locked"), lambda client: moment(client.locked_at)),
        Column(_("Cut off"), lambda client: moment(client.not_before)),
    )
    object_actions = (LOCK, UNLOCK, CUT_OFF_CLIENT)

    def get_urls(self) -> list[URLPattern]:
        """One more page, for scripts."""
        view = self.admin_site.admin_view(self.suggest_view)
        name = "grant_management_client_suggest"
        return [path("suggest/", view, name=name), *super().get_urls()]

    def suggest_view(self, request: HttpRequest) -> JsonResponse:
        """The next client IDs from `q` on, of the `service` or of all."""
        form, start = self._form(request), request.GET.get("q", "")
        if not start or not form.is_valid():
            return JsonResponse({"values": []})
        rows = self.get_queryset(request).filter(client_id__gte=start)
        # More than are shown: a client may have the same ID at several services.
        found = self._ordered(rows, form.chosen()).first(10 * SUGGESTIONS)
        known = dict.fromkeys(row.client_id for row in found if row.client_id.startswith(start))
        return JsonResponse({"values": list(known)[:SUGGESTIONS]})
