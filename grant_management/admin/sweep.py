"""Revoke by filter: choose, check, confirm; then a job that operators watch, pause and resume."""

import json
import uuid
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..db import primary
from ..db.counting import grouped
from ..models import GrantEvent, GrantFilter, Reason, Service, Sweep
from ..redaction import redacted
from .kit.confirmation import is_typed, show_phrase
from .kit.display import time_tag
from .kit.export import attachment
from .kit.listing import BetweenForm, Column, ListAdmin, fields, text
from .kit.read_only import limited, operator
from .kit.reasons import in_words, why_of
from .kit.renamed import renamed
from .kit.typed import params
from .kit.utc import exact_tag
from .related import may_view
from .sweep_confirmation import Asked, counted, numbers, recall, remember
from .sweep_form import ConfirmForm, FilterForm, carried_over
from .sweep_report import (
    badge,
    described,
    described_job,
    lines,
    progress,
    report,
    status_value,
)
from .sweep_worker import work_in_background

MAY_START: Final = "grant_management.start_sweep"
SAMPLE: Final = 10
"""The most grants, and the most clients, that the page of step 2 shows."""


class JobListForm(BetweenForm):
    """Filters: service and the time of the start."""

    moment_field = "started_at"


@admin.register(Sweep)
class SweepAdmin(ListAdmin[Sweep]):
    """Jobs, running or finished, and the steps that start one: revokes by filter."""

    list_form = JobListForm
    order = ("-started_at", "-pk")
    related = ("service", "client")
    columns = (
        Column(
            _("Started"),
            lambda sweep: time_tag(sweep.started_at),
            leads=True,
            key="started",
            sort=("started_at", "pk"),
            exported=fields("id", "service_id", "started_at"),
        ),
        Column(_("Status"), badge, key="status", exported={"status": status_value}),
        text(_("Done by"), "actor", "who"),
        Column(_("Filter"), described_job, key="which", exported={"which": described_job}),
        Column(
            _("Revoked"),
            lambda sweep: grouped(sweep.revoked),
            key="revoked",
            exported=fields("revoked"),
        ),
        Column(
            _("Reason"),
            lambda sweep: in_words(sweep.reason),
            key="reason",
            exported=fields("reason"),
        ),
        text(_("Ticket"), "ticket", "ticket"),
        text(_("Note"), "note", "note", is_default=False),
    )
    file_name = "jobs"
    change_form_template = "admin/grant_management/sweep.html"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.opts = renamed(self.opts, _("job"), _("jobs"))

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a job; of the steps, and of a job's progress and reports."""
        wrap, prefix = self.admin_site.admin_view, "grant_management_sweep"
        pages = [
            path("start/", wrap(self.start_view), name=f"{prefix}_start"),
            path("check/", wrap(self.check_view), name=f"{prefix}_check"),
        ]
        views = {
            "progress": self.progress_view,
            "pause": self.pause_view,
            "resume": self.resume_view,
            "report.csv": self.csv_view,
            "report.json": self.json_view,
        }
        for name, view in views.items():
            pages.append(path(f"<uuid:pk>/{name}", wrap(view), name=f"{prefix}_{name}"))
        return [*pages, *super().get_urls()]

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """A button to start a revoke by filter, for operators who may."""
        may = request.user.has_perm(MAY_START)
        return [(_("Revoke by filter…"), self.url("start"))] if may else []

    @redacted
    def start_view(self, request: HttpRequest) -> HttpResponse:
        """Step 1: choose the grants; a list of grants may post its filters. Of several services
        none is chosen beforehand.
        """
        self._check_may_start(request)
        services = self._services(request)
        form = FilterForm(initial=carried_over(params(request), services), services=services)
        return self._ask(request, form)

    def check_view(self, request: HttpRequest) -> HttpResponse:
        """Step 2: show how many grants are found, of which clients, and some of them.

        Step 3 is a POST to the same URL: with the right phrase, the job starts.
        """
        self._check_may_start(request)
        if request.method != "POST":
            return HttpResponseRedirect(self.url("start"))
        form = FilterForm(request.POST, services=self._services(request))
        if not form.is_valid():
            return self._ask(request, form)
        wanted: GrantFilter = form.cleaned_data["wanted"]
        confirmed = ConfirmForm(request.POST if "sweep" in request.POST else None)
        confirmed.initial = {"sweep": uuid.uuid4()}
        if confirmed.is_bound and confirmed.is_valid():
            values = confirmed.cleaned_data
            # A page that the session no longer remembers is checked against the current count.
            asked = recall(request, values["sweep"], wanted) or _asked(wanted)
            if is_typed(asked.phrase, values["typed"]):
                return self._start(request, wanted, values, asked)
            confirmed.add_error("typed", _("The text does not match the phrase."))
        return self._confirm(request, form, confirmed, wanted)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The job's page: its filter, its progress and its history."""
        sweep = self.get_object(request, object_id)
        context = {} if sweep is None else self._watched(request, sweep)
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def progress_view(self, request: HttpRequest, pk: uuid.UUID) -> JsonResponse:
        """The job's figures as JSON, for the script of its page (see `progress`)."""
        return JsonResponse(progress(self._sweep(request, pk)))

    def pause_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """On POST, pause the job. A batch that is not committed yet is rolled back."""
        return self._move(request, self._sweep(request, pk), Sweep.pause)

    def resume_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """On POST, resume the job in a thread of this process."""
        sweep = self._sweep(request, pk)
        self._check_may_start(request)
        if request.method == "POST":
            sweep.resume(operator(request))
            work_in_background(sweep)
        return HttpResponseRedirect(self.url("change", sweep))

    def csv_view(self, request: HttpRequest, pk: uuid.UUID) -> StreamingHttpResponse:
        """A CSV file with a line for each grant that the job revoked."""
        sweep = self._of_report(request, pk)
        return attachment(lines(sweep), f"revoked-{sweep.pk}.csv", "text/csv; charset=utf-8")

    def json_view(self, request: HttpRequest, pk: uuid.UUID) -> StreamingHttpResponse:
        """A JSON file: the filter, who started the job and why, and its results (see `report`)."""
        sweep = self._of_report(request, pk)
        text = json.dumps(report(sweep), indent=2)
        return attachment(iter([text]), f"revoked-{sweep.pk}.json", "application/json")

    def _services(self, request: HttpRequest) -> "QuerySet[Service]":
        return limited(Service.objects.order_by("name"), request, "organization")

    def _check_may_start(self, request: HttpRequest) -> None:
        if not (request.user.has_perm(MAY_START) and self.has_view_permission(request)):
            raise PermissionDenied

    def _sweep(self, request: HttpRequest, pk: uuid.UUID) -> Sweep:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.at_services(request).select_related("service", "client")
        sweep = rows.filter(pk=pk).first()
        if sweep is None:
            raise Http404
        return sweep

    def _of_report(self, request: HttpRequest, pk: uuid.UUID) -> Sweep:
        """The job; PermissionDenied: a report is made of events, which the operator may not see."""
        if not may_view(request, "grantevent"):
            raise PermissionDenied
        return self._sweep(request, pk)

    def _ask(self, request: HttpRequest, form: FilterForm) -> HttpResponse:
        title, check = _("Revoke by filter: choose"), self.url("check")
        return self.page(request, "choose.html", title, form=form, check=check, section="start")

    def _confirm(
        self, request: HttpRequest, form: FilterForm, confirm: ConfirmForm, wanted: GrantFilter
    ) -> HttpResponse:
        look = wanted.look(SAMPLE)
        found = counted(wanted, look)
        asked = Asked.about(wanted, look, found)
        page = confirm.cleaned_data.get("sweep") if confirm.is_bound else confirm.initial["sweep"]
        if page is not None:
            remember(request, page, wanted, asked)
        show_phrase(confirm, asked.phrase)
        context = {
            "form": form,
            "section": "start",
            "confirm": confirm,
            "wanted": described(wanted),
            "count": str(look),
            "is_all": look.is_all,
            "none": look.count == 0 and look.is_all and not wanted.is_cut_off,
            "phrase": asked.phrase,
            "sample": [(grant, time_tag(grant.created_at)) for grant in look.sample],
            "clients": look.clients,
            "sees_grants": may_view(request, "grant"),
            "is_cut_off": wanted.is_cut_off,
            "numbers": list(numbers(found)),
            "stays": not (wanted.is_cut_off or wanted.service.revoke_access_tokens),
        }
        return self.page(request, "check.html", _("Revoke by filter: check"), **context)

    def _start(
        self, request: HttpRequest, wanted: GrantFilter, values: dict[str, Any], asked: Asked
    ) -> HttpResponse:
        """Start the sweep. Its key comes from the form, so a form that is sent twice starts one."""
        why = Reason(values["reason"], values["note"], values["ticket"])
        actor = operator(request)
        try:
            with primary.atomic():
                sweep = Sweep.objects.start(
                    wanted,
                    actor,
                    why,
                    told=asked.told,
                    pk=values["sweep"],
                    expected=asked.expected,
                )
        except IntegrityError:
            messages.warning(request, _("This job was already started. This is its page."))
            return HttpResponseRedirect(self.url("change", Sweep(pk=values["sweep"])))
        work_in_background(sweep)
        return HttpResponseRedirect(self.url("change", sweep))

    def _move(self, request: HttpRequest, sweep: Sweep, move: Any) -> HttpResponse:
        self._check_may_start(request)
        if request.method == "POST":
            move(sweep, operator(request))
        return HttpResponseRedirect(self.url("change", sweep))

    def _watched(self, request: HttpRequest, sweep: Sweep) -> dict[str, Any]:
        return {
            "sweep": sweep,
            "wanted": described(sweep.wanted()),
            "why": why_of(sweep),
            "badge": badge(sweep),
            "started": exact_tag(sweep.started_at),
            "finished": exact_tag(sweep.finished_at),
            "history": [(event, exact_tag(event.at)) for event in _history(request, sweep)],
            "sees_events": may_view(request, "grantevent"),
            "progress": progress(sweep),
            "may": request.user.has_perm(MAY_START),
        }


def _history(request: HttpRequest, sweep: Sweep) -> list[GrantEvent]:
    return sweep.history() if may_view(request, "grantevent") else []


def _asked(wanted: GrantFilter) -> Asked:
    look = wanted.look(0)
    return Asked.about(wanted, look, counted(wanted, look))
