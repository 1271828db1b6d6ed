"""Descriptions: scopes and authorization types in words for people, and pages to change them."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..fields import members as m
from ..models import Described, Description, Reason, Sensitivity, Service
from .kit import form_fields
from .kit.actions import ReasonForm, Text
from .kit.described import DescribedAdmin, languages_of
from .kit.list_table import fields
from .kit.read_only import operator
from .kit.service_form import ServiceForm
from .kit.short_filters import ServiceFilter
from .texts_form import TextsForm

CHANGE: Final = "grant_management.change_description"


class DescriptionForm(TextsForm):
    """The sensitivity and the texts of a description."""

    member = m.DESCRIPTION_TEXTS
    sensitivity = forms.ChoiceField(
        label=_("Sensitivity"), choices=Sensitivity.choices, initial=Sensitivity.MEDIUM
    )


class NewDescriptionForm(DescriptionForm, ServiceForm):
    """A new description, with what is described."""

    service = form_fields.RowField(Service.objects.filter(deleted_at=None), label=_("Service"))
    kind = forms.ChoiceField(label=_("Kind"), choices=Described.choices)
    name = forms.CharField(label=_("Scope or type"), max_length=255)
    field_order = ("service", "kind", "name")

    def clean(self) -> dict[str, Any]:
        """The values. ValidationError: no scope or type can have this name."""
        values = super().clean()
        is_scope = values.get("kind") == Described.SCOPE
        form_fields.taken(m.SCOPE if is_scope else m.AUTHORIZATION_TYPE, values.get("name"))
        return values


@admin.register(Description)
class DescriptionAdmin(DescribedAdmin[Description]):
    """Descriptions, with pages to add, change and delete them; each change writes an event."""

    list_display = ("name", "kind", "sensitivity", "languages", "service")
    list_filter = (ServiceFilter, "kind", "sensitivity")
    filter_lookups = frozenset({"kind__exact", "sensitivity__exact"})
    file_name = "descriptions"
    exported = {
        "name": fields("id", "name"),
        "kind": fields("kind"),
        "sensitivity": fields("sensitivity"),
        "languages": {"languages": languages_of},
        "service": fields("service_id"),
    }
    list_select_related = ("service",)
    ordering = ("name", "kind", "service")
    manage_permission = CHANGE

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a description; and those to add, change and delete one."""
        wrap, prefix = self.admin_site.admin_view, "grant_management_description"
        return [
            path("describe/", wrap(self.describe_view), name=f"{prefix}_describe"),
            path("<uuid:pk>/edit/", wrap(self.edit_view), name=f"{prefix}_edit"),
            path("<uuid:pk>/remove/", wrap(self.remove_view), name=f"{prefix}_remove"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The description, with buttons to change and delete it."""
        row = self.get_object(request, object_id)
        pages: list[tuple[Text, str]] = [(_("Change…"), "edit"), (_("Delete…"), "remove")]
        may = row is not None and self.may_manage(request)
        context = {"buttons": [(label, self.url(name, row)) for label, name in pages if may]}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def describe_view(self, request: HttpRequest) -> HttpResponse:
        """Describe a scope or an authorization type; one that is described is changed."""
        self.check_may_manage(request)
        form = NewDescriptionForm(request.POST or None).limit(request)
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            return self._saved(request, values["service"], values["kind"], values["name"], values)
        page = self.url("changelist")
        return self.page(request, "action.html", _("Add description"), form=form, page=page)

    def edit_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Change the texts and the sensitivity of a description."""
        self.check_may_manage(request)
        row = self._row(request, pk)
        initial = {"sensitivity": row.sensitivity}
        form = DescriptionForm(request.POST or None, texts=row.texts, initial=initial)
        if request.method == "POST" and form.is_valid():
            return self._saved(request, row.service, row.kind, row.name, form.cleaned_data)
        return self._ask(request, _("Change description"), row, form)

    def remove_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Delete a description: people then see the name as it is in the protocol."""
        self.check_may_manage(request)
        row = self._row(request, pk)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            why = Reason(**form.cleaned_data)
            Description.objects.remove(row.service, row.kind, row.name, operator(request), why)
            messages.success(request, _("The description was deleted."))
            return HttpResponseRedirect(self.url("changelist"))
        lines = [_("People then see %(name)s without words of explanation.") % {"name": row.name}]
        return self._ask(request, _("Delete description"), row, form, lines)

    def _saved(
        self, request: HttpRequest, service: Service, kind: str, name: str, values: dict[str, Any]
    ) -> HttpResponse:
        why = Reason(*(values[one] for one in ("reason", "note", "ticket")))
        given = {one: values[one] for one in ("sensitivity", "texts")}
        row = Description.objects.put(service, kind, name, operator(request), why, **given)
        messages.success(request, _("The description was saved."))
        return HttpResponseRedirect(self.url("change", row))

    def _ask(
        self, request: HttpRequest, title: Any, row: Description, form: forms.Form, lines: Any = ()
    ) -> HttpResponse:
        page = self.url("change", row)
        return self.page(request, "action.html", title, form=form, row=row, page=page, lines=lines)

    def _row(self, request: HttpRequest, pk: Any) -> Description:
        row = self.at_services(request).select_related("service").filter(pk=pk).first()
        if row is None or row.service.deleted_at is not None:
            raise Http404
        return row
