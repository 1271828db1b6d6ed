"""Grants, and the page that revokes one."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..models import AccessToken, Actor, Grant, GrantStatus, Reason, RefreshToken
from .read_only import ReadOnlyAdmin

REASONS = [
    ("requested by user", _("requested by user")),
    ("requested by client", _("requested by client")),
    ("compromised key", _("compromised key")),
    ("suspected fraud", _("suspected fraud")),
    ("client offboarded", _("client offboarded")),
    ("regulator", _("regulator")),
    ("test data", _("test data")),
    ("other", _("other")),
]


class RevokeForm(forms.Form):
    """Why it is revoked."""

    reason = forms.ChoiceField(label=_("Reason"), choices=[("", "---------"), *REASONS])
    note = forms.CharField(label=_("Note"), required=False, max_length=2_000, widget=forms.Textarea)
    ticket = forms.CharField(label=_("Ticket"), required=False, max_length=255)


@admin.register(Grant)
class GrantAdmin(ReadOnlyAdmin[Grant]):
    """What a user allowed a client."""

    list_display = ("grant_id", "status", "subject", "client", "created_at", "expires_at")
    list_select_related = ("service", "client")
    readonly_fields = ("status",)
    search_fields = ("grant_id__exact", "subject__exact", "client__client_id__exact")
    change_form_template = "admin/grant_management/grant/change_form.html"

    @admin.display(description=_("status"))
    def status(self, grant: Grant) -> str:
        """In words."""
        return str(grant.status(timezone.now()).label)

    def get_urls(self) -> list[URLPattern]:
        """One more page."""
        revoke = self.admin_site.admin_view(self.revoke_view)
        name = "grant_management_grant_revoke"
        return [path("<path:object_id>/revoke/", revoke, name=name), *super().get_urls()]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Those who may see grants and were given the right to revoke them."""
        may = request.user.has_perm("grant_management.revoke_grant")
        return may and self.has_view_permission(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The grant, with a button where it can be revoked."""
        context = {"has_revoke_permission": self.has_revoke_permission(request)}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Says what will stop, asks why, and revokes: by the one path that all share."""
        if not self.has_revoke_permission(request):
            raise PermissionDenied
        grant = self.get_object(request, object_id)
        if grant is None:
            return self._missing(request, object_id)
        form = RevokeForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            self._revoke(request, grant, Reason(**form.cleaned_data))
            return HttpResponseRedirect(self._page(grant))
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            "admin/grant_management/grant/revoke.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Revoke grant"),
                "opts": self.opts,
                "grant": grant,
                "page": self._page(grant),
                "form": form,
                "stops": _what_stops(grant),
            },
        )

    def _revoke(self, request: HttpRequest, grant: Grant, why: Reason) -> None:
        actor = Actor.operator(request.user.get_username())
        if grant.revoke(timezone.now(), actor, why):
            messages.success(request, _("The grant was revoked."))
        else:
            messages.warning(request, _("The grant had been revoked before."))

    def _missing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        messages.warning(request, _("There is no such grant."))
        name = "admin:grant_management_grant_changelist"
        return HttpResponseRedirect(reverse(name, current_app=self.admin_site.name))

    def _page(self, grant: Grant) -> str:
        name = "admin:grant_management_grant_change"
        return reverse(name, args=[grant.pk], current_app=self.admin_site.name)


def _what_stops(grant: Grant) -> Sequence[tuple[Any, int]]:
    """What is alive now and will not be."""
    alive = grant.status(timezone.now()) is GrantStatus.ACTIVE
    stops: list[tuple[Any, int]] = [(_("grants"), int(alive))]
    if grant.service.revoke_access_tokens:
        stops.append((_("access tokens"), _live(AccessToken, grant, grant.access_generation)))
    return [*stops, (_("refresh tokens"), _live(RefreshToken, grant, grant.refresh_generation))]


def _live(model: type[AccessToken | RefreshToken], grant: Grant, generation: int) -> int:
    tokens = model._default_manager.filter(
        service=grant.service_id, grant=grant, generation=generation, revoked_at=None
    )
    return tokens.exclude(expires_at__lte=timezone.now()).count()
