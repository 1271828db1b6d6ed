"""API tokens: issued and rotated with the value shown once, and revoked."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..fields import members as m
from ..models import ApiToken, Organization, Reason, Service
from ..models.api_token import OF_ORGANIZATIONS, RIGHTS
from ..redaction import redacted
from .kit import form_fields
from .kit.actions import ReasonForm
from .kit.display import state, time_tag
from .kit.once import OnceForm, first_time, fresh
from .kit.read_only import ReadOnlyAdmin, limited, operator
from .kit.utc import UTCDateTimeField

MANAGE = "grant_management.manage_apitoken"
RIGHT_LABELS: Final = {
    "can_manage_tokens": _("May manage the organization's API tokens"),
    "can_manage_services": _("May create, change and delete the organization's services"),
    "can_manage_clients": _("May create, change and delete clients"),
    "can_issue_self_service": _("May issue self-service tokens for people"),
    "can_manage_webhooks": _("May manage webhooks"),
    "can_read_events": _("May read events"),
}
RIGHT_SENTENCES: Final = {
    "can_manage_tokens": _("It may manage the organization's API tokens."),
    "can_manage_services": _("It may create, change and delete the organization's services."),
    "can_manage_clients": _("It may create, change and delete clients."),
    "can_issue_self_service": _("It may issue self-service tokens for people."),
    "can_manage_webhooks": _("It may manage webhooks."),
    "can_read_events": _("It may read events."),
}


class RotateForm(OnceForm, ReasonForm):
    """The reason for rotating an API token."""


class IssueForm(OnceForm):
    """A new API token. It opens the chosen service, or else every service of the organization."""

    organization = forms.ModelChoiceField(Organization.objects.all(), label=_("Organization"))
    service = forms.ModelChoiceField(
        Service.objects.filter(deleted_at=None), label=_("Service"), required=False
    )
    description = form_fields.text(m.DESCRIPTION, label=_("Description"), required=False)
    expires_at = UTCDateTimeField(
        label=_("Expires (UTC)"),
        required=False,
        help_text=_("As 2027-01-31 12:00:00 UTC; an offset such as +02:00 counts. Empty: never"),
    )
    can_manage_tokens = forms.BooleanField(label=RIGHT_LABELS["can_manage_tokens"], required=False)
    can_manage_services = forms.BooleanField(
        label=RIGHT_LABELS["can_manage_services"], required=False
    )
    can_manage_clients = forms.BooleanField(
        label=RIGHT_LABELS["can_manage_clients"], required=False
    )
    can_issue_self_service = forms.BooleanField(
        label=RIGHT_LABELS["can_issue_self_service"], required=False
    )
    can_manage_webhooks = forms.BooleanField(
        label=RIGHT_LABELS["can_manage_webhooks"], required=False
    )
    can_read_events = forms.BooleanField(label=RIGHT_LABELS["can_read_events"], required=False)
    note = form_fields.text(
        m.NOTE,
        label=_("Note"),
        required=False,
        widget=forms.Textarea,
        help_text=_("Stored with the event"),
    )

    def limit(self, request: HttpRequest) -> "IssueForm":
        """Limit the choices to what this operator sees, and return the form."""
        for name, to_organization in (("organization", "pk"), ("service", "organization")):
            field = cast("forms.ModelChoiceField[Any]", self.fields[name])
            rows = cast("QuerySet[Any]", field.queryset)
            field.queryset = limited(rows, request, to_organization)
        return self

    def clean_expires_at(self) -> datetime | None:
        """The expiry, or None for never. ValidationError: it is not in the future."""
        at: datetime | None = self.cleaned_data["expires_at"]
        if at is not None and at <= clock.now():
            raise forms.ValidationError(_("That is in the past."))
        return at

    def clean(self) -> dict[str, Any]:
        """The values. ValidationError: the service is not the organization's, or a token of one
        service would manage API tokens.
        """
        values: dict[str, Any] = super().clean() or {}
        service, organization = values.get("service"), values.get("organization")
        if service is not None and service.organization_id != getattr(organization, "pk", None):
            raise forms.ValidationError(_("The service is another organization's."))
        if service is not None and any(values.get(name) for name in OF_ORGANIZATIONS):
            said = _("Only an organization's token can manage tokens or services.")
            raise forms.ValidationError(said)
        return values


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin[ApiToken]):
    """API tokens, shown by prefix, with pages that issue, rotate and revoke them."""

    organization_path = "organization"
    list_display = (
        "prefix",
        "status",
        "kind",
        "opens",
        "description",
        "created",
        "created_by",
        "last_used",
        "expires",
    )
    list_select_related = ("organization", "service")
    ordering = ("-created_at",)
    change_list_template = "admin/grant_management/apitoken/change_list.html"
    change_form_template = "admin/grant_management/change_form.html"

    @admin.display(description=_("status"))
    def status(self, token: ApiToken) -> Any:
        """Active, expired or revoked, as an icon and a word."""
        now = clock.estimate()
        if token.revoked_at is not None:
            return state("revoked", _("Revoked"))
        alive = token.is_active(now)
        return state("active", _("Active")) if alive else state("expired", _("Expired"))

    @admin.display(description=_("opens"))
    def opens(self, token: ApiToken) -> str:
        """The service that the token opens, or the organization if it opens all its services."""
        return str(token.service or token.organization)

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, token: ApiToken) -> str:
        """The time of issue, which a rotation does not change."""
        return time_tag(token.created_at)

    @admin.display(description=_("last used"))
    def last_used(self, token: ApiToken) -> str:
        """The last call, to the minute; only services with `track_last_used` record it."""
        return time_tag(token.last_used_at)

    @admin.display(description=_("expires"))
    def expires(self, token: ApiToken) -> str:
        """The expiry, or a dash for never."""
        return time_tag(token.expires_at)

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a token, and those to issue, rotate and revoke."""
        wrap, prefix = self.admin_site.admin_view, "grant_management_apitoken"
        return [
            path("issue/", wrap(self.issue_view), name=f"{prefix}_issue"),
            path("<uuid:pk>/rotate/", wrap(self.rotate_view), name=f"{prefix}_rotate"),
            path("<uuid:pk>/revoke/", wrap(self.revoke_view), name=f"{prefix}_revoke"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, with a button to issue a token for operators who may."""
        context = {"may_issue": request.user.has_perm(MANAGE), **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The token's page, with buttons to rotate and revoke it while it is active."""
        token = self.get_object(request, object_id)
        alive = token is not None and token.is_active(clock.estimate())
        buttons = [(_("Rotate…"), "rotate"), (_("Revoke…"), "revoke")]
        shown = [(label, self.url(name, token)) for label, name in buttons if alive]
        context = {"buttons": shown if request.user.has_perm(MANAGE) else []}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    @redacted
    def issue_view(self, request: HttpRequest) -> HttpResponse:
        """Issue a token. The response shows its value, which is kept nowhere."""
        self._check(request)
        form = IssueForm(request.POST or None, initial=fresh(request)).limit(request)
        if request.method == "POST" and form.is_valid():
            if not first_time(request, form.cleaned_data.pop("once")):
                return self._again(request)
            why = Reason("", form.cleaned_data.pop("note"))
            _token, value = ApiToken.objects.issue(
                actor=operator(request), why=why, **form.cleaned_data
            )
            return self._show(request, _("API token issued"), value)
        page = self.url("changelist")
        return self.page(request, "action.html", _("Issue API token"), form=form, page=page)

    @redacted
    def rotate_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Give the token a new value, shown once; the old value stops working at once."""
        self._check(request)
        token = self._token(request, pk)
        form = RotateForm(request.POST or None, initial=fresh(request))
        if request.method == "POST" and form.is_valid():
            first = first_time(request, form.cleaned_data.pop("once"))
            why = Reason(**form.cleaned_data)
            value = token.rotate(operator(request), why) if first else None
            if value is None:
                return self._again(request)
            return self._show(request, _("API token rotated"), value)
        after = _("The old value is dead at once.")
        return self._ask(request, _("Rotate API token"), token, form, after)

    def revoke_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Revoke the token; the next request with it is refused."""
        self._check(request)
        token = self._token(request, pk)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            done = token.revoke(operator(request), Reason(**form.cleaned_data))
            said = _("The API token was revoked.") if done else _("It was already revoked.")
            messages.success(request, said)
            return HttpResponseRedirect(self.url("change", token))
        after = _("Requests with it are refused at once.")
        return self._ask(request, _("Revoke API token"), token, form, after)

    def _token(self, request: HttpRequest, pk: Any) -> ApiToken:
        rows = self.get_queryset(request).select_related("service", "organization")
        token = rows.filter(pk=pk).first()
        if token is None:
            raise Http404
        return token

    def _check(self, request: HttpRequest) -> None:
        if not (request.user.has_perm(MANAGE) and self.has_view_permission(request)):
            raise PermissionDenied

    def _ask(
        self, request: HttpRequest, title: Any, token: ApiToken, form: forms.Form, after: Any
    ) -> HttpResponse:
        """The page that says which token is meant and what will happen, and asks to confirm."""
        page, lines = self.url("change", token), [*_described(token), after]
        return self.page(
            request, "action.html", title, form=form, lines=lines, page=page, row=token
        )

    def _show(self, request: HttpRequest, title: Any, value: str) -> HttpResponse:
        template, page = "apitoken/shown_once.html", self.url("changelist")
        response = self.page(request, template, title, value=value, page=page, label=_("API token"))
        response["Cache-Control"] = "no-store"
        return response

    def _again(self, request: HttpRequest) -> HttpResponse:
        messages.warning(
            request,
            _(
                "This form was already sent, or the token is no longer active."
                " A value is shown only once."
            ),
        )
        return HttpResponseRedirect(self.url("changelist"))


def _described(token: ApiToken) -> Iterator[Any]:
    """Sentences by which an operator recognises the token before changing it."""
    yield _("API token %(prefix)s: %(description)s") % {
        "prefix": token,
        "description": token.description or _("without a description"),
    }
    if token.service is not None:
        yield _("It opens the service %(name)s.") % {"name": token.service}
    else:
        yield _("It opens every service of the organization %(name)s.") % {
            "name": token.organization
        }
    for name in RIGHTS:
        if getattr(token, name):
            yield RIGHT_SENTENCES[name]
    last = token.last_used_at
    at = f"{last:%Y-%m-%d %H:%M:%S} UTC" if last else _("no use recorded")
    yield _("Last used: %(at)s") % {"at": at}
