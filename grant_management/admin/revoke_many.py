"""Revoking one, several or all grants of a person: one preview, one reason, one receipt.

Each grant is revoked by `Grant.revoke`, which writes the event. The events of one confirmation have
the same `job`, by which the receipt finds them.
"""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..db import clock
from ..db.counting import bounded_count, shown_number
from ..db.ids import uuid7
from ..models import AccessToken, EventKind, Grant, GrantEvent, Reason, RefreshToken, Service
from .kit.actions import REASONS, ReasonForm
from .kit.read_only import limited, operator
from .kit.reasons import in_words
from .kit.stops import stops_of_grant
from .kit.utc import exact_tag
from .person import REVOKE, PersonPages
from .person_grants import by_client, living, to_person
from .receipt import stopped_by
from .related import may_view

MOST: Final = 100
"""The most grants that are revoked while the operator waits; a revoke by filter takes more."""


class RevokeForm(ReasonForm):
    """The reason for revoking the grants, one click away each."""

    reason = forms.ChoiceField(label=_("Reason"), choices=REASONS[1:], widget=forms.RadioSelect)


class RevokeManyPages(PersonPages):
    """The preview of a revoke of several grants, and its receipt."""

    def get_urls(self) -> list[URLPattern]:
        """With the URLs of the preview and of the receipt."""
        wrap, name = self.admin_site.admin_view, "grant_management_grant"
        preview, receipt = wrap(self.revoke_many_view), wrap(self.receipt_view)
        return [
            path("<uuid:pk>/person/revoke/", preview, name=f"{name}_revoke_many"),
            path("receipt/<uuid:job>/", receipt, name=f"{name}_receipt"),
            *super().get_urls(),
        ]

    def revoke_many_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """On POST, the preview; with a reason, the revocation of the grants that were shown.

        `these` is `all` or `selected`; `one` or `grant` are the keys of grants of this person.
        """
        person = self.person(request, pk)
        if not request.user.has_perm(REVOKE):
            raise PermissionDenied
        page = self.url("person", person)
        if request.method != "POST":
            return HttpResponseRedirect(page)
        grants = self._chosen(request, person)
        if not grants or len(grants) > MOST:
            return self._cannot(request, page, grants)
        is_sent = "confirmed" in request.POST
        form = RevokeForm(request.POST if is_sent else None)
        if is_sent and form.is_valid():
            return self._revoke(request, page, grants, Reason(**form.cleaned_data))
        return self._preview(request, person, grants, form)

    def _chosen(self, request: HttpRequest, person: Grant) -> list[Any]:
        """The living grants that are asked for, at most one more than `MOST`."""
        rows = self.get_queryset(request).filter(subject=person.subject)
        alive = living(rows.filter(service__in=self._services(request)))
        if request.POST.get("these") != "all":
            named = request.POST.getlist("one") or request.POST.getlist("grant")
            alive = alive.filter(pk__in=list(filter(None, map(_key, named[: MOST + 1]))))
        return list(to_person(alive).order_by("-created_at", "-pk")[: MOST + 1])

    def _services(self, request: HttpRequest) -> list[int]:
        """The service that the person's page was limited to, or all of them."""
        rows = limited(Service.objects.all(), request, "organization")
        seen: list[int] = list(rows.values_list("pk", flat=True))
        wanted = request.POST.get("service", "")
        return [one for one in seen if not wanted or str(one) == wanted]

    def _cannot(self, request: HttpRequest, page: str, grants: list[Any]) -> HttpResponse:
        said = _("Choose at least one grant that is still active.")
        if grants:
            said = _("More than %(most)s grants: use Revoke by filter, which shows its progress.")
        messages.warning(request, said % {"most": MOST} if grants else said)
        return HttpResponseRedirect(page)

    def _preview(
        self, request: HttpRequest, person: Grant, grants: list[Any], form: forms.Form
    ) -> HttpResponse:
        context = {
            "person": person,
            "person_url": self.url("person", person),
            "groups_of_grants": by_client(grants, request),
            "keys": [grant.pk for grant in grants],
            "lines": list(_what_stops(grants)),
            "form": form,
            "section": "people",
        }
        title = ngettext(
            "Revoke %(n)s grant of %(subject)s", "Revoke %(n)s grants of %(subject)s", len(grants)
        )
        named = title % {"n": len(grants), "subject": person.subject}
        return self.page(request, "revoke_many.html", named, **context)

    def _revoke(
        self, request: HttpRequest, page: str, grants: list[Any], why: Reason
    ) -> HttpResponse:
        job, actor = uuid7(clock.now()), operator(request)
        done: list[Any] = []
        for grant in grants:
            told = stops_of_grant(grant).as_json()
            if grant.revoke(actor, why, told=told, job=job, begins=not done):
                done.append(grant)
        if len(done) < len(grants):
            left = len(grants) - len(done)
            messages.warning(request, _("%(n)s had been revoked already.") % {"n": left})
        if not done:
            return HttpResponseRedirect(page)
        messages.success(request, _("Done. This page is the receipt."))
        is_seen = may_view(request, "grantevent")
        return HttpResponseRedirect(self._receipt(job) if is_seen else page)

    def _receipt(self, job: UUID) -> str:
        return self.url("receipt", Grant(pk=job))

    def receipt_view(self, request: HttpRequest, job: UUID) -> HttpResponse:
        """The receipt: who revoked which grants, when and why. It is made from the events.

        It has the first of a job's grants; the job's own report has all of them.
        """
        if not (self.has_view_permission(request) and may_view(request, "grantevent")):
            raise PermissionDenied
        services = limited(Service.objects.all(), request, "organization")
        rows = GrantEvent.objects.filter(service__in=list(services), job=job)
        revoked = rows.filter(kind=EventKind.REVOKED).select_related("service")
        events = list(revoked.order_by("pk")[: MOST + 1])
        if not events:
            raise Http404
        lines = self._with_pages(request, events[:MOST])
        first, is_cut = events[0], len(events) > MOST
        context = {"event": first, "at": exact_tag(first.at), "lines": lines, "is_cut": is_cut}
        context["stopped"] = stopped_by(events[:MOST])
        context["reason"] = in_words(first.reason)
        title = _("Receipt")
        return self.page(request, "receipt_many.html", title, job=job, section="people", **context)

    def _with_pages(
        self, request: HttpRequest, events: list[GrantEvent]
    ) -> list[tuple[GrantEvent, str]]:
        """The events, each with the URL of its grant's page ("": the grant was purged)."""
        grants = self.get_queryset(request).filter(
            service__in={event.service_id for event in events},
            grant_id__in=[event.grant_id for event in events],
        )
        pages = {(one.service_id, one.grant_id): self.url("change", one) for one in grants}
        return [(one, pages.get((one.service_id, one.grant_id), "")) for one in events]


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _what_stops(grants: list[Any]) -> Any:
    """Sentences with the numbers of tokens that stop, and of those that a service leaves alone."""
    now = clock.now()
    dying = [one.pk for one in grants if one.service.revoke_access_tokens]
    staying = [one.pk for one in grants if not one.service.revoke_access_tokens]
    access, left = (_alive(AccessToken, keys, now) for keys in (dying, staying))
    refresh = _alive(RefreshToken, dying + staying, now)
    numbers = {"grants": len(grants), "access": access, "refresh": refresh}
    said = _(
        "This stops now. Grants: %(grants)s; access tokens: %(access)s; refresh tokens:"
        " %(refresh)s."
    )
    yield said % numbers
    if staying:
        yield _("Access tokens that stay valid until they expire: %(n)s.") % {"n": left}
    yield _("It cannot be undone.")


def _alive(model: type[Any], keys: list[UUID], now: Any) -> str:
    tokens = model.objects.filter(grant__in=keys).alive(now)
    return shown_number(bounded_count(tokens.order_by("-pk")))
