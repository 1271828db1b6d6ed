"""Revoking one, several or all grants of a person: one preview, one reason, one receipt.

Each grant is revoked by `Grant.revoke`, which writes the event. The events of one confirmation have
the same `job`, by which the receipt finds them.
"""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..db import clock
from ..db.ids import uuid7
from ..models import Grant, Reason, Service
from ..models.stops import stops_of_grant
from .kit.confirmation import TypedForm, is_typed, phrase_for, recall, remember, show_phrase
from .kit.read_only import limited, operator
from .person import REVOKE
from .person_grants import by_client, living, to_person
from .receipt_many import ReceiptPages
from .related import may_view
from .revoke_form import MOST, Damage


class RevokeManyPages(ReceiptPages):
    """The preview of a revoke of several grants, which leads to its receipt."""

    def get_urls(self) -> list[URLPattern]:
        """With the URL of the preview."""
        view, name = self.admin_site.admin_view(self.revoke_many_view), "grant_management_grant"
        preview = path("<uuid:pk>/person/revoke/", view, name=f"{name}_revoke_many")
        return [preview, *super().get_urls()]

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
        form = TypedForm(request.POST if is_sent else None, initial={"page": str(uuid4())})
        damage = Damage.of(grants)
        asked = _asked(request, person, damage)
        if is_sent and form.is_valid():
            if is_typed(asked["phrase"], form.cleaned_data["typed"]):
                return self._revoke(request, page, grants, form.why())
            form.add_error("typed", _("The text does not match the phrase."))
        return self._preview(request, person, grants, damage, form, asked)

    def _chosen(self, request: HttpRequest, person: Grant) -> list[Any]:
        """The living grants that are asked for, at most one more than `MOST`."""
        rows = self.get_queryset(request).filter(subject=person.subject)
        alive = rows.filter(living(), service__in=self._services(request))
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
        self,
        request: HttpRequest,
        person: Grant,
        grants: list[Any],
        damage: Damage,
        form: TypedForm,
        asked: dict[str, Any],
    ) -> HttpResponse:
        page = str(form["page"].value())
        remember(request, page, sorted(str(grant.pk) for grant in grants), asked)
        show_phrase(form, asked["phrase"])
        context = {
            "person": person,
            "person_url": self.url("person", person),
            "groups_of_grants": by_client(grants, request),
            "keys": [grant.pk for grant in grants],
            "lines": list(damage.lines()),
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
        return HttpResponseRedirect(self.receipt_url(job) if is_seen else page)


def _asked(request: HttpRequest, person: Grant, damage: Damage) -> dict[str, Any]:
    """What the page asked for that was sent, about the grants that it showed; else what is asked
    for these grants now.
    """
    shown = sorted(request.POST.getlist("grant"))
    found = recall(request, request.POST.get("page", ""), shown)
    return found or {"phrase": phrase_for(damage.most, str(person.subject))}


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
