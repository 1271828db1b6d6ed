"""API tokens: issued and rotated with the value shown once, and revoked."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..db import apart, clock
from ..models import ApiToken, EventKind, GrantEvent, OrganizationEvent, Service
from ..redaction import redacted
from .api_token_forms import IssueForm, RotateForm, facts_of, may_get, warnings_of
from .first_run import call_of
from .kit.database import number
from .kit.display import state, time_tag
from .kit.list_table import fields
from .kit.making import FIRST_RUN, checklist
from .kit.once import first_time, fresh
from .kit.read_only import operator
from .kit.reasons import ReasonForm
from .kit.short_filters import PeriodFilter, ServiceFilter, StateFilter
from .kit.short_list import ShortListAdmin
from .related import may_view, page_url

MANAGE: Final = "grant_management.manage_apitoken"


class TokenStateFilter(StateFilter):
    """By whether a token works."""

    states = {
        "active": (_("Active"), lambda now: Q(revoked_at=None) & ~Q(expires_at__lte=now)),
        "expired": (_("Expired"), lambda now: Q(revoked_at=None, expires_at__lte=now)),
        "revoked": (_("Revoked"), lambda now: Q(revoked_at__isnull=False)),
    }


def _status(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "active" if token.is_active(clock.estimate()) else "expired"


def _kind(token: ApiToken) -> str:
    return "service" if token.service_id else "organization"


@admin.register(ApiToken)
class ApiTokenAdmin(ShortListAdmin[ApiToken]):
    """API tokens, shown by prefix, with pages that issue, rotate and revoke them."""

    organization_path = "organization"
    manage_permission = MANAGE
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
    list_filter = (ServiceFilter, TokenStateFilter, PeriodFilter)
    file_name = "api-tokens"
    exported = {
        "prefix": fields("id", "prefix"),
        "status": {"status": _status},
        "kind": {"kind": _kind},
        "opens": fields("organization_id", "service_id"),
        "description": fields("description"),
        "created": fields("created_at"),
        "created_by": fields("created_by"),
        "last_used": fields("last_used_at"),
        "expires": fields("expires_at"),
    }
    ordering = ("-created_at",)
    change_form_template = "admin/grant_management/change_form.html"

    @admin.display(description=_("status"))
    def status(self, token: ApiToken) -> Any:
        """Active, expired or revoked, as an icon and a word."""
        name = _status(token)
        return state(name, TokenStateFilter.states[name][0])

    @admin.display(description=_("kind"))
    def kind(self, token: ApiToken) -> Any:
        """Whether it opens one service, or all of an organization."""
        return _("service") if token.service_id else _("organization")

    @admin.display(description=_("valid for"))
    def opens(self, token: ApiToken) -> str:
        """The service that the token opens, or the organization if it opens all its services."""
        return str(token.service or token.organization)

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, token: ApiToken) -> str:
        """The time of issue, which a rotation does not change."""
        return time_tag(token.created_at)

    @admin.display(description=_("last used"))
    def last_used(self, token: ApiToken) -> str:
        """The last call, to the minute."""
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

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """A button to issue a token, for operators who may."""
        return [(_("Issue…"), self.url("issue"))] if request.user.has_perm(MANAGE) else []

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The token's page, with buttons to rotate and revoke it while it is active."""
        token = self.get_object(request, object_id)
        context = {"buttons": self._buttons(request, token), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def _buttons(self, request: HttpRequest, token: ApiToken | None) -> list[tuple[Any, str]]:
        alive = token is not None and token.is_active(clock.estimate())
        if token is None or not alive or not request.user.has_perm(MANAGE):
            return []
        revoke = (_("Revoke…"), self.url("revoke", token))
        rotate = (_("Rotate…"), self.url("rotate", token))
        return [rotate, revoke] if may_get(request, token) else [revoke]

    @redacted
    def issue_view(self, request: HttpRequest) -> HttpResponse:
        """Issue a token. The response shows its value, which is kept nowhere."""
        self.check_may_manage(request)
        asked = {"service": number(request.GET.get("service", ""))}
        form = IssueForm(request.POST or None, initial=fresh(request, **asked)).limit(request)
        if request.method == "POST" and form.is_valid():
            values = dict(form.cleaned_data)
            if not first_time(request, values.pop("once")):
                return self._again(request)
            del values["note"], values["ticket"]
            token, value = ApiToken.objects.issue(actor=operator(request), why=form.why(), **values)
            return self._show(request, _("API token issued"), token, value)
        page, submit = self.url("changelist"), _("Issue API token")
        return self.page(request, "form.html", submit, form=form, page=page, submit=submit)

    @redacted
    def rotate_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Give the token a new value, shown once; the old value stops working at once."""
        self.check_may_manage(request)
        token = self._token(request, pk)
        if not may_get(request, token):
            raise PermissionDenied
        form = RotateForm(request.POST or None, initial=fresh(request))
        if request.method == "POST" and form.is_valid():
            first = first_time(request, form.cleaned_data["once"])
            value = token.rotate(operator(request), form.why()) if first else None
            if value is None:
                return self._again(request)
            return self._show(request, _("API token rotated"), token, value)
        after = _("The old value stops working at once. The new one is shown once.")
        return self._ask(request, _("Rotate API token"), token, form, after)

    def revoke_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Revoke the token; the next request with it is refused."""
        self.check_may_manage(request)
        token = self._token(request, pk)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            done = token.revoke(operator(request), form.why())
            return self._revoked(request, token, done=done)
        after = _("Requests with it are refused at once. It cannot be undone.")
        return self._ask(request, _("Revoke API token"), token, form, after)

    def _revoked(self, request: HttpRequest, token: ApiToken, *, done: bool) -> HttpResponse:
        """To the event, which is the receipt; to the token for who may not see it."""
        event = _revocation(token)
        model = event._meta.model_name if event else ""
        url = page_url(request, f"{model}_change", event.pk) if event else ""
        if not (done and url and may_view(request, str(model))):
            said = _("The API token was revoked.") if done else _("It was already revoked.")
            messages.success(request, said)
            return HttpResponseRedirect(self.url("change", token))
        messages.success(request, _("Done. This page is the receipt."))
        return HttpResponseRedirect(url)

    def _token(self, request: HttpRequest, pk: Any) -> ApiToken:
        rows = self.get_queryset(request).select_related("service", "organization")
        token = rows.filter(pk=pk).first()
        if token is None:
            raise Http404
        return token

    def _ask(
        self, request: HttpRequest, title: Any, token: ApiToken, form: forms.Form, after: Any
    ) -> HttpResponse:
        """The page that says which token is meant and what will happen, and asks to confirm."""
        context = {"form": form, "page": self.url("change", token), "row": token}
        context |= {"facts": list(facts_of(token)), "lines": [*warnings_of(token), after]}
        return self.page(request, "action.html", title, **context)

    def _show(self, request: HttpRequest, title: Any, token: ApiToken, value: str) -> HttpResponse:
        """The value, and programs that make a call with it; nobody keeps this page."""
        is_first = request.GET.get("then") == FIRST_RUN
        page = checklist(self) if is_first else self.url("changelist")
        context = {"value": value, "label": _("API token"), "page": page}
        service = token.service or self._any_service(token)
        if service is not None:
            context |= call_of(request, service, value)
        response = self.page(request, "apitoken/shown_once.html", title, **context)
        response["Cache-Control"] = "no-store"
        return response

    def _any_service(self, token: ApiToken) -> Service | None:
        rows = Service.objects.filter(organization=token.organization_id, deleted_at=None)
        return rows.order_by("name", "pk").first()

    def _again(self, request: HttpRequest) -> HttpResponse:
        said = _("This form was already sent, or the token is no longer active.")
        once = _("A value is shown only once.")
        messages.warning(request, f"{said} {once}")
        return HttpResponseRedirect(self.url("changelist"))


def _revocation(token: ApiToken) -> GrantEvent | OrganizationEvent | None:
    """The newest event that tells of a revocation at the token's service or organization."""
    of: Any = {"kind": EventKind.API_TOKEN_REVOKED, "details__tokenId": str(token.pk)}
    if token.service_id and not apart.lives_apart(token.service_id):
        rows: Any = GrantEvent.objects.filter(service=token.service_id, **of)
    else:
        rows = OrganizationEvent.objects.filter(organization=token.organization_id, **of)
    found: GrantEvent | OrganizationEvent | None = rows.order_by("-at", "-pk").first()
    return found
