"""Services: the list, a page for each, its settings, and the what-if tester."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..models import Organization, Service
from ..redaction import redacted
from .kit.actions import OperatorAdmin, Text
from .kit.cut_off import CUT_OFF_SERVICE
from .kit.list_table import fields
from .kit.making import insert, make
from .kit.read_only import limited, operator
from .kit.short_filters import OrganizationFilter
from .kit.short_list import ShortListAdmin
from .service_forms import NewServiceForm, SettingsForm
from .service_page import portrait
from .what_if import WhatIfForm, ask

ADD: Final = "grant_management.add_service"
CHANGE: Final = "grant_management.change_service"


@admin.register(Service)
class ServiceAdmin(ShortListAdmin[Service], OperatorAdmin[Service]):
    """Services (tenants), with their settings, a cut-off and the what-if tester."""

    organization_path = "organization"
    list_display = (
        "name",
        "id",
        "organization",
        "grant_management_endpoint",
        "not_before",
        "deleted_at",
    )
    list_select_related = ("organization",)
    list_filter = (("organization", OrganizationFilter),)
    filter_lookups = frozenset({"organization__id__exact"})
    file_name = "services"
    exported = {
        "name": fields("id", "name"),
        "id": fields("id"),
        "organization": fields("organization_id"),
        "grant_management_endpoint": fields("grant_management_endpoint"),
        "not_before": fields("not_before"),
        "deleted_at": fields("deleted_at"),
    }
    object_actions = (CUT_OFF_SERVICE,)
    change_form_template = "admin/grant_management/service.html"

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a service; of its forms and of the what-if tester."""
        wrap, name = self.admin_site.admin_view, "grant_management_service"
        return [
            path("create/", wrap(self.create_view), name=f"{name}_create"),
            path("<path:object_id>/what-if/", wrap(self.what_if_view), name=f"{name}_what_if"),
            path("<path:object_id>/settings/", wrap(self.settings_view), name=f"{name}_settings"),
            *super().get_urls(),
        ]

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """A button to create a service."""
        may = request.user.has_perm(ADD)
        return [(_("New service…"), self.url("create"))] if may else []

    def create_view(self, request: HttpRequest) -> HttpResponse:
        """Create a service of an organization that the operator sees."""
        if not (request.user.has_perm(ADD) and self.has_view_permission(request)):
            raise PermissionDenied
        owners = limited(Organization.objects.order_by("name"), request, "pk")
        form = NewServiceForm(request.POST or None, organizations=owners)

        def save() -> Service:
            row = form.made()
            insert(row, operator(request), form.why())
            return row

        return make(self, request, _("New service"), form, save)

    def buttons(self, request: HttpRequest, row: Service) -> list[tuple[Text, str]]:
        """The actions, the settings and the tester. The tester takes credentials, so it is only for
        operators who may revoke.
        """
        shown = super().buttons(request, row)
        if request.user.has_perm(CHANGE) and row.deleted_at is None:
            shown.insert(0, (_("Change settings…"), self.url("settings", row)))
        if self._may_try(request):
            shown.insert(0, (_("Try a call: what would be answered?"), self.url("what_if", row)))
        return shown

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The service's page: its settings in groups, its nonces, how to point an SDK at it."""
        service = self.get_object(request, object_id)
        context = {} if service is None else portrait(service, request)
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def settings_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Change the settings, with a reason; the next call uses the new ones."""
        if not (request.user.has_perm(CHANGE) and self.has_view_permission(request)):
            raise PermissionDenied
        service = self._service(request, object_id)
        if service.deleted_at is not None:
            raise Http404
        form = SettingsForm(request.POST or None, instance=service)
        if request.method == "POST" and form.is_valid():
            actor = operator(request)
            changed = form.change(actor)
            said = _("Changed: %(names)s.") if changed else _("Nothing was changed.")
            messages.success(request, said % {"names": ", ".join(changed)})
            return HttpResponseRedirect(self.url("change", service))
        title, page = _("Change settings"), self.url("change", service)
        lines = [_("Changes apply from the next call.")]
        context = {"row": service, "page": page, "form": form, "lines": lines}
        return self.page(request, "form.html", title, submit=_("Save"), **context)

    @redacted
    def what_if_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Run each check of a pasted call without the call's effects, and show what came of it."""
        if not self._may_try(request):
            raise PermissionDenied
        service = self._service(request, object_id)
        form = WhatIfForm(request.POST or None, initial={"grant_id": request.GET.get("grant_id")})
        said = ask(service, form) if request.method == "POST" and form.is_valid() else {}
        page = self.url("change", service)
        title = _("Try a call: what would be answered?")
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
