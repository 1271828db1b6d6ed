"""The receipt of several grants that were revoked together: a page at an address that stays, and a
JSON file. Both are made from the events, which have the same `job`.
"""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from ..db.keyset import Merged
from ..models import EventKind, Grant, GrantEvent, Service
from .kit.read_only import limited
from .person import PersonPages
from .receipt import as_file_of_many, receipt_of_many
from .related import may_view
from .revoke_form import MOST


class ReceiptPages(PersonPages):
    """The receipt of a job. It has the first of its grants; the job's own report has all."""

    def get_urls(self) -> list[URLPattern]:
        """With the URLs of the receipt and of its file."""
        wrap, name = self.admin_site.admin_view, "grant_management_grant_receipt"
        page, file = wrap(self.receipt_view), wrap(self.receipt_file_view)
        return [
            path("receipt/<uuid:job>/", page, name=name),
            path("receipt/<uuid:job>/receipt.json", file, name=f"{name}_file"),
            *super().get_urls(),
        ]

    def receipt_url(self, job: UUID) -> str:
        """The address of the receipt."""
        return self.url("receipt", Grant(pk=job))

    def receipt_view(self, request: HttpRequest, job: UUID) -> HttpResponse:
        """The receipt: who revoked which grants, when and why."""
        events, is_cut = self._events(request, job)
        context = receipt_of_many(events, job, request, is_cut=is_cut)
        context |= {"lines": self._with_pages(request, events), "section": "people"}
        return self.page(request, "receipt_many.html", context.pop("title"), **context)

    def receipt_file_view(self, request: HttpRequest, job: UUID) -> HttpResponse:
        """The receipt as a JSON file."""
        events, is_cut = self._events(request, job)
        return as_file_of_many(events, job, request, self.receipt_url(job), is_cut=is_cut)

    def _events(self, request: HttpRequest, job: UUID) -> tuple[list[GrantEvent], bool]:
        """The first events of the job, and whether there are more. Http404: there is none."""
        if not (self.has_view_permission(request) and may_view(request, "grantevent")):
            raise PermissionDenied
        services = limited(Service.objects.all(), request, "organization")
        revoked = GrantEvent.objects.filter(job=job, kind=EventKind.REVOKED)
        numbers = tuple(services.values_list("pk", flat=True))
        # The index has them service by service: in one statement a database would read all events.
        found = Merged(revoked, ("pk",), lambda rows: rows.select_related("service"), numbers)
        events = found.first(MOST + 1)
        if not events:
            raise Http404
        return events[:MOST], len(events) > MOST

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
