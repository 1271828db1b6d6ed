"""Profiles of clients: names, sites and logos for people, and a page to change them."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..fields import members as m
from ..fields.words import read_for_page
from ..models import Client, ClientProfile, Logo, Reason, Service
from ..protocol.logos import LARGEST, MEDIA_TYPE
from ..protocol.numbers import MAX_NUMBER
from .kit import form_fields, list_table
from .kit.database import number
from .kit.described import DescribedAdmin, languages_of
from .kit.read_only import limited, named, operator
from .kit.service_form import ServiceForm
from .kit.short_filters import ServiceFilter
from .kit.utc import NONE
from .texts_form import TextsForm

CHANGE: Final = "grant_management.change_clientprofile"


class ProfileForm(TextsForm):
    """The texts of a client, and its logo."""

    member = m.PROFILE_TEXTS
    logo_file = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_("PNG, JPEG or WebP of at most 100 KB; it is encoded again"),
    )
    without_logo = forms.BooleanField(label=_("Delete the logo"), required=False)

    def clean(self) -> dict[str, Any]:
        """The values, with `logo` as the API reads it. The field's error: it is refused."""
        values = super().clean()
        file: UploadedFile[Any] | None = values.get("logo_file")
        values["logo"] = b"" if values.get("without_logo") else None
        if file is not None:
            data = file.read(LARGEST + 1)
            try:
                values["logo"] = read_for_page(lambda: m.LOGO.read_file(data))
            except forms.ValidationError as error:
                self.add_error("logo_file", error)
        return values


class NewProfileForm(ProfileForm, ServiceForm):
    """A profile, with the client whose it is."""

    service = form_fields.RowField(Service.objects.filter(deleted_at=None), label=_("Service"))
    client_id = forms.CharField(label=_("Client ID"), max_length=255)
    field_order = ("service", "client_id")

    def clean(self) -> dict[str, Any]:
        """The values, with `client`. The field's error: the service has no such client."""
        values = super().clean()
        service, known = values.get("service"), Client.objects.filter(deleted_at=None)
        sought = known.filter(service=service, client_id=values.get("client_id"))
        values["client"] = sought.first() if service else None
        if values["client"] is None:
            self.add_error("client_id", _("The service has no such client."))
        return values


@admin.register(ClientProfile)
class ClientProfileAdmin(DescribedAdmin[ClientProfile]):
    """Profiles of clients, with pages to add and change them; each change writes an event."""

    list_display = ("client", "languages", "service")
    list_filter = (ServiceFilter,)
    file_name = "clients-profiles"
    exported = {
        "client": {"client_id": lambda row: row.client.client_id, "number": lambda row: row.pk},
        "languages": {"languages": languages_of},
        "service": list_table.fields("service_id"),
    }
    list_select_related = ("client", "service")
    ordering = ("service", "client")
    fields = ("client", "texts", "logo")
    readonly_fields = ("logo",)
    manage_permission = CHANGE

    @admin.display(description=_("logo"))
    def logo(self, row: ClientProfile) -> str:
        """The picture, or a dash."""
        digest = ClientProfile.objects.of(row.client).logo_digest
        if not digest:
            return NONE
        url = self.url("logo", row)
        return format_html('<img src="{}?{}" width="64" height="64" alt="">', url, digest[:8])

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a profile; and those to add and change one."""
        wrap, prefix = self.admin_site.admin_view, "grant_management_clientprofile"
        return [
            path("describe/", wrap(self.describe_view), name=f"{prefix}_describe"),
            path("<int:pk>/edit/", wrap(self.edit_view), name=f"{prefix}_edit"),
            path("<int:pk>/logo/", wrap(self.logo_view), name=f"{prefix}_logo"),
            *super().get_urls(),
        ]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> ClientProfile | None:
        """The profile; None: there is none, or no client can have such a number."""
        if not (object_id.isascii() and object_id.isdigit() and len(object_id) < 17):
            return None
        return super().get_object(request, object_id, from_field)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The profile, with a button to change it."""
        row = self.get_object(request, object_id)
        may = row is not None and self.may_manage(request)
        context = {"buttons": [(_("Change…"), self.url("edit", row))] if may else []}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def describe_view(self, request: HttpRequest) -> HttpResponse:
        """Add what people are told of a client."""
        self.check_may_manage(request)
        given = self._client(request, request.GET.get("client", ""))
        form = NewProfileForm(request.POST or None, request.FILES or None, initial=given)
        form.limit(request)
        if request.method == "POST" and form.is_valid():
            return self._saved(request, form.cleaned_data["client"], form.cleaned_data)
        page = self.url("changelist")
        title = _("Add client's profile")
        return self.page(request, "upload.html", title, form=form, page=page)

    def _client(self, request: HttpRequest, key: str) -> dict[str, Any]:
        """What the form begins with: the client of this number, if the operator sees it."""
        seen = limited(Client.objects.filter(pk=number(key) or 0), request, "service__organization")
        rows = named(seen, request)
        return {
            name: value
            for row in rows.values("service", "client_id")
            for name, value in row.items()
        }

    def edit_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Change what people are told of a client."""
        self.check_may_manage(request)
        row = self._row(request, pk)
        form = ProfileForm(request.POST or None, request.FILES or None, texts=row.texts)
        if request.method == "POST" and form.is_valid():
            return self._saved(request, row.client, form.cleaned_data)
        page = self.url("change", row)
        title = _("Change client's profile")
        return self.page(request, "upload.html", title, form=form, row=row, page=page)

    def logo_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The picture, for operators who see the client."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self._row(request, pk)
        logo = Logo.objects.filter(service=row.service_id, pk=row.pk).first()
        if logo is None:
            raise Http404
        response = HttpResponse(bytes(logo.content), content_type=MEDIA_TYPE)
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def _saved(self, request: HttpRequest, client: Client, values: dict[str, Any]) -> HttpResponse:
        why = Reason(*(values[one] for one in ("reason", "note", "ticket")))
        given = {one: values[one] for one in ("texts", "logo")}
        try:
            row = ClientProfile.objects.put(client, operator(request), why, **given)
        except Client.DoesNotExist:  # deleted at this moment
            raise Http404 from None
        messages.success(request, _("The profile was saved."))
        known = row.its_row().exists()
        return HttpResponseRedirect(self.url("change", row) if known else self.url("changelist"))

    def _row(self, request: HttpRequest, pk: Any) -> ClientProfile:
        if pk > MAX_NUMBER:  # a larger number does not fit into the column
            raise Http404
        rows = self.at_services(request).select_related("client", "service")
        row = rows.filter(pk=pk, client__deleted_at=None, service__deleted_at=None).first()
        if row is None:
            raise Http404
        return row
