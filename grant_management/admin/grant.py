"""Grants: what was granted, its tokens, what happened to it, and the page that revokes it."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..models import (
    COUNT_LIMIT,
    AccessToken,
    EventKind,
    Grant,
    GrantEvent,
    GrantStatus,
    RefreshToken,
    Service,
)
from ..protocol.digests import sha256
from .actions import ObjectAction, OperatorAdmin, Text
from .read_only import limited

PAGE = 20


class FindForm(forms.Form):
    """A token's value: posted, hashed on the server, kept nowhere."""

    token = forms.CharField(
        label=_("Access token or refresh token"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


def _what_stops(grant: Grant) -> Iterable[Text]:
    """What is alive now and will not be."""
    now = timezone.now()
    if grant.status(now) is GrantStatus.ACTIVE:
        about = {"client": grant.client, "subject": grant.subject or _("nobody")}
        yield _("This stops now: 1 grant, of %(client)s for %(subject)s") % about
    access = _live(AccessToken, grant, grant.access_generation, now)
    if grant.service.revoke_access_tokens:
        yield _number(_("%(number)s access tokens"), access)
    elif last := access.order_by("-expires_at").first():
        stay = _("%(number)s access tokens stay alive, until %(at)s")
        at = f"{last.expires_at:%Y-%m-%d %H:%M:%S} UTC" if last.expires_at else str(_("for ever"))
        yield stay % {"number": access.count(), "at": at}
    refresh = _live(RefreshToken, grant, grant.refresh_generation, now)
    yield _number(_("%(number)s refresh tokens"), refresh)
    yield _("It cannot be undone.")


def _number(text: Text, rows: "QuerySet[Any]") -> str:
    """Exact up to `COUNT_LIMIT`."""
    number = rows[: COUNT_LIMIT + 1].count()
    return str(text) % {"number": number if number <= COUNT_LIMIT else f"> {COUNT_LIMIT:,}"}


def _live(
    model: type[AccessToken | RefreshToken], grant: Grant, generation: int, now: datetime
) -> "QuerySet[Any]":
    tokens = model._default_manager.filter(
        service=grant.service_id, grant=grant, generation=generation, revoked_at=None
    )
    return tokens.exclude(expires_at__lte=now)


REVOKE = ObjectAction(
    name="revoke",
    permission="revoke_grant",
    label=_("Revoke"),
    kind=EventKind.REVOKED,
    applies=lambda grant: grant.revoked_at is None,
    describe=_what_stops,
    perform=Grant.revoke,
)


@admin.register(Grant)
class GrantAdmin(OperatorAdmin[Grant]):
    """What a user allowed a client."""

    list_display = (
        "short_id",
        "status",
        "subject",
        "client",
        "shown_scopes",
        "detail_types",
        "created_at",
        "expires_at",
    )
    list_select_related = ("service", "client")
    fields = (
        "status",
        "grant_id",
        "service",
        "client",
        "subject",
        "created_at",
        "last_updated_at",
        "updated_by",
        "expires_at",
        "revoked_at",
    )
    readonly_fields = ("status",)
    search_fields = ("grant_id__exact", "subject__exact", "client__client_id__exact")
    search_help_text = _("Exact: a subject, a client ID or a grant ID")
    ordering = ("-created_at",)
    object_actions = (REVOKE,)
    change_form_template = "admin/grant_management/grant/change_form.html"
    change_list_template = "admin/grant_management/grant/change_list.html"

    @admin.display(description=_("status"))
    def status(self, grant: Grant) -> str:
        """In words."""
        return str(grant.status(timezone.now()).label)

    @admin.display(description=_("grant ID"))
    def short_id(self, grant: Grant) -> str:
        """Its beginning and its end."""
        whole = grant.grant_id
        return whole if len(whole) <= 17 else f"{whole[:8]}…{whole[-8:]}"

    @admin.display(description=_("scopes"))
    def shown_scopes(self, grant: Grant) -> str:
        """Three, then how many more."""
        names = sorted(grant.scope_names())
        more = f" +{len(names) - 3}" if len(names) > 3 else ""
        return " ".join(names[:3]) + more

    @admin.display(description=_("authorization types"))
    def detail_types(self, grant: Grant) -> str:
        """Of its authorization details."""
        return ", ".join(sorted(grant.authorization_types()))

    def get_urls(self) -> list[URLPattern]:
        """One more page."""
        find = self.admin_site.admin_view(self.find_view)
        return [path("find/", find, name="grant_management_grant_find"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The grant, a page of its tokens, and its timeline."""
        grant = self.get_object(request, object_id)
        context = {} if grant is None else _story(grant, _page_number(request))
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """By a token's value, which reaches no URL and no log."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = FindForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            services = limited(Service.objects.all(), request, "organization")
            grant = _of_token(self.get_queryset(request), services, form.cleaned_data["token"])
            if grant is not None:
                return HttpResponseRedirect(self.url("change", grant))
            messages.warning(request, _("No grant has such a token."))
            form = FindForm()
        return self.page(request, "grant/find.html", _("Find by token"), form=form)


def _of_token(grants: "QuerySet[Grant]", services: "QuerySet[Service]", value: str) -> Grant | None:
    """The grant of a token's value at one of these services: by index, since these lead it."""
    for model in (AccessToken, RefreshToken):
        rows = model._default_manager.filter(service__in=services, digest=sha256(value))
        found = rows.exclude(grant=None).values_list("grant_id", flat=True).first()
        if found is not None:
            return grants.filter(pk=found).first()
    return None


def _story(grant: Grant, page: int) -> dict[str, Any]:
    """Its tokens, newest first, and its events, newest first."""
    kinds = [_tokens(model, grant, page) for model in (AccessToken, RefreshToken)]
    return {
        "tokens": [_shown_token(token) for tokens in kinds for token in tokens],
        "next_page": page + 1 if any(len(tokens) == PAGE for tokens in kinds) else None,
        "content": {
            "scopes": json.loads(grant.scopes or "[]"),
            "claims": json.loads(grant.claims or "[]"),
            "details": [
                (detail["type"], json.dumps(detail, indent=2))
                for detail in json.loads(grant.authorization_details or "[]")
            ],
        },
        "timeline": [_shown_event(event) for event in _events(grant)],
    }


def _tokens(model: type[AccessToken | RefreshToken], grant: Grant, page: int) -> list[Any]:
    rows = model._default_manager.filter(service=grant.service_id, grant=grant)
    rows = rows.select_related("service", "client", "grant__service", "grant__client")
    return list(rows.order_by("-pk")[(page - 1) * PAGE : page * PAGE])


def _events(grant: Grant) -> "QuerySet[GrantEvent]":
    rows = GrantEvent.objects.filter(service=grant.service_id, grant_id=grant.grant_id)
    return rows.order_by("-at", "-pk")[:100]


def _shown_token(token: AccessToken | RefreshToken) -> dict[str, Any]:
    """Never its value, nor the whole of its digest."""
    return {
        "kind": token._meta.verbose_name,
        "digest": token.digest_prefix,
        "status": token.status(timezone.now()).name.replace("_", " ").capitalize(),
        "issued_at": token.issued_at,
        "expires_at": token.expires_at,
        "binding": token.jkt or token.x5t_s256,
    }


def _shown_event(event: GrantEvent) -> dict[str, Any]:
    """With what was added and what was removed, where it changed what the grant holds."""
    before, after = (_items(event.details.get(name, "{}")) for name in ("before", "after"))
    return {"event": event, "added": sorted(after - before), "removed": sorted(before - after)}


def _items(content: str) -> set[str]:
    """What a grant held, as lines to compare."""
    held = json.loads(content)
    scopes = {
        f"{name} {resource}".strip()
        for entry in held.get("scopes", [])
        for name in entry["scope"].split(" ")
        for resource in entry.get("resource", [""])
    }
    details = {json.dumps(detail) for detail in held.get("authorization_details", [])}
    return scopes | set(held.get("claims", [])) | details


def _page_number(request: HttpRequest) -> int:
    page = request.GET.get("tokens", "1")
    return int(page) if page.isdecimal() and 0 < int(page) < 10**6 else 1
