"""Organizations, which own services: the list, forms to create and rename one, the first run."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..fields import members as m
from ..models import Organization
from . import first_run
from .kit import form_fields
from .kit.list_table import fields
from .kit.making import insert, make
from .kit.read_only import operator, organizations
from .kit.reasons import NoteForm
from .kit.short_list import ShortListAdmin

ADD, CHANGE = "grant_management.add_organization", "grant_management.change_organization"


class OrganizationForm(NoteForm):
    """The name of an organization."""

    name = form_fields.text(m.NAME, label=_("Name"), help_text=_("What operators see"))
    field_order = ("name", "note", "ticket")


@admin.register(Organization)
class OrganizationAdmin(ShortListAdmin[Organization]):
    """Organizations, by number and name."""

    organization_path = "pk"
    list_display = ("name", "id")
    file_name = "organizations"
    exported = {"name": fields("id", "name"), "id": fields("id")}
    change_form_template = "admin/grant_management/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of an organization; of the forms and of the first run."""
        wrap, name = self.admin_site.admin_view, "grant_management_organization"
        return [
            path("first-run/", wrap(self.first_run_view), name=f"{name}_first_run"),
            path("first-run/arrived/", wrap(self.arrived_view), name=f"{name}_arrived"),
            path("create/", wrap(self.create_view), name=f"{name}_create"),
            path("<path:object_id>/edit/", wrap(self.edit_view), name=f"{name}_edit"),
            *super().get_urls(),
        ]

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """Buttons for the checklist of the first run, and to create an organization."""
        shown: list[tuple[Any, str]] = []
        if first_run.may_begin(request):
            shown.append((_("First steps"), self.url("first_run")))
        if self.may_create(request):
            shown.append((_("New organization…"), self.url("create")))
        return shown

    def may_create(self, request: HttpRequest) -> bool:
        """Operators with the permission who see all organizations: others would not see it."""
        return organizations(request) is None and request.user.has_perm(ADD)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The organization, with a button to rename it."""
        row = self.get_object(request, object_id)
        may = row is not None and request.user.has_perm(CHANGE)
        buttons = [(_("Rename…"), self.url("edit", row))] if may else []
        context = {"buttons": buttons, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def create_view(self, request: HttpRequest) -> HttpResponse:
        """Create an organization."""
        if not (self.may_create(request) and self.has_view_permission(request)):
            raise PermissionDenied
        form = OrganizationForm(request.POST or None)

        def save() -> Organization:
            row = Organization(name=form.cleaned_data["name"])
            insert(row, operator(request), form.why())
            return row

        return make(self, request, _("New organization"), form, save)

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Rename an organization."""
        if not (request.user.has_perm(CHANGE) and self.has_view_permission(request)):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        form = OrganizationForm(request.POST or None, initial={"name": row.name})

        def save() -> Organization:
            row.rename(form.cleaned_data["name"], operator(request), form.why())
            return row

        page = self.url("change", row)
        return make(self, request, _("Rename organization"), form, save, row=row, page=page)

    def first_run_view(self, request: HttpRequest) -> HttpResponse:
        """The checklist from an empty database to the first call."""
        if not first_run.may_begin(request):
            raise PermissionDenied
        context = first_run.checklist(request, self.admin_site.name)
        return self.page(request, "first_run.html", _("First steps"), **context)

    def arrived_view(self, request: HttpRequest) -> JsonResponse:
        """Whether the first call arrived, as JSON: `arrived`, for the script of the checklist."""
        if not first_run.may_begin(request):
            raise PermissionDenied
        token = first_run.newest_token(request)
        return JsonResponse({"arrived": token is not None and token.last_used_at is not None})
