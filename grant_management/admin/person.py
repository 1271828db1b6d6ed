"""People: the pages about one subject, with all grants of it that the operator may see.

There is no table of people. A person's page has the key of one of the grants in its URL, so that no
subject is in a URL or a log.
"""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..db.keyset import Cursor, page_of
from ..models import Grant, Service
from .kit.counting import counted
from .kit.database import number
from .kit.display import time_tag
from .kit.listing import ListAdmin
from .kit.read_only import limited
from .people import BY_SUBJECT, by_subject, newest
from .person_grants import by_client, living, owned_by, to_person
from .person_history import calls_of, events_of
from .related import may_view, page_url

REVOKE: Final = "grant_management.revoke_grant"


class PersonPages(ListAdmin[Grant]):
    """The list of people, and the page of one."""

    def get_urls(self) -> list[URLPattern]:
        """With the URLs of people, and of a person."""
        wrap, name = self.admin_site.admin_view, "grant_management_grant"
        return [
            path("people/", wrap(self.people_view), name=f"{name}_people"),
            path("<uuid:pk>/person/", wrap(self.person_view), name=f"{name}_person"),
            *super().get_urls(),
        ]

    def people_view(self, request: HttpRequest) -> HttpResponse:
        """The people of the newest grants, or of one service by subject."""
        services, rows = self.services_in_view(request), self.all_rows()
        is_sorted = request.GET.get("sort") == BY_SUBJECT and len(services) == 1
        page = (
            by_subject(rows, services[0], request) if is_sorted else newest(rows, services, request)
        )
        context = {
            "people": [
                (grant, self.url("person", grant), time_tag(grant.created_at))
                for grant in page.grants
            ],
            "page": page,
            "is_sorted": is_sorted,
            "can_be_sorted": len(services) == 1,
            "of_service": _of_service(self._service_number(request, services)),
            "service_number": self._service_number(request, services),
            "services": limited(Service.objects.order_by("name", "pk"), request, "organization"),
            "section": "people",
        }
        return self.page(request, "people.html", _("People"), **context)

    def person_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Everything about the subject of a grant: its grants by client, its calls and events."""
        grant, services = self.person(request, pk), self.services_in_view(request)
        cursor = request.GET.get("events", "")
        sees_events = may_view(request, "grantevent")
        events, older = events_of(grant, services, cursor) if sees_events else ([], "")
        context = {
            **self.grants_of(request, grant, services),
            "calls": calls_of(grant, services) if may_view(request, "call") else [],
            "events": events,
            "older": older,
            "lists": self._lists(request, grant, services),
            "section": "people",
        }
        return self.page(request, "person.html", str(grant.subject), **context)

    def _service_number(self, request: HttpRequest, services: list[int]) -> str:
        """The number of the service that the query names; "": it names none."""
        return str(services[0]) if number(request.GET.get("service", "")) and services else ""

    def person(self, request: HttpRequest, pk: UUID) -> Grant:
        """The grant whose subject the page is about. Http404: there is none for this operator."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        grant = owned_by(self.at_services(request), pk)
        if grant is None:
            raise Http404
        return grant

    def services_in_view(self, request: HttpRequest) -> list[int]:
        """The number of the service that the query names, or those of all that they may see."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        services = limited(Service.objects.order_by("pk"), request, "organization")
        wanted = number(request.GET.get("service", ""))
        if wanted is not None:
            services = services.filter(pk=wanted)
        return list(services.values_list("pk", flat=True))

    def _lists(self, request: HttpRequest, grant: Grant, services: list[int]) -> dict[str, str]:
        """The URLs of the lists of all calls and of all events of the person."""
        query = {"person": str(grant.pk), "service": self._service_number(request, services)}
        shown = urlencode({name: value for name, value in query.items() if value})
        return {
            model: f"{page_url(request, f'{model}_changelist')}?{shown}"
            for model in ("call", "grantevent")
            if may_view(request, model)
        }

    def grants_of(self, request: HttpRequest, grant: Grant, services: list[int]) -> dict[str, Any]:
        """The template's context for a page of a person's grants, and for revoking them."""
        rows = self.get_queryset(request).filter(subject=grant.subject)
        own = rows.filter(service__in=services)
        cursor = Cursor.read(Grant, self.order, request.GET)
        page = page_of(self._ordered(to_person(rows), services), cursor, None)
        return {
            "person": grant,
            "person_url": self.url("person", grant),
            "groups_of_grants": by_client(page.rows, request),
            "grants_page": page,
            "living": counted(own.order_by("-created_at"), living()),
            "service_number": self._service_number(request, services),
            "revoke_url": self.url("revoke_many", grant) if request.user.has_perm(REVOKE) else "",
            "several_services": len({one.service_id for one in page.rows}) > 1,
        }


def _of_service(number: str) -> str:
    """The beginning of a query string, for one service or for all."""
    return f"service={number}&" if number else ""
