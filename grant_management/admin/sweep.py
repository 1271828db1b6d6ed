"""Revoke by filter: choose, check, confirm; then a job that anybody can watch, pause and resume."""

import json
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connections, transaction
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
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..models import (
    COUNT_LIMIT,
    Actor,
    Client,
    EmptyFilter,
    GrantFilter,
    Reason,
    Service,
    Sweep,
    SweepStatus,
    shown_number,
)
from .actions import ReasonForm
from .display import moment, state
from .export import as_csv_line, attachment
from .listing import Column, ListAdmin
from .read_only import limited

MAY_START: Final = "grant_management.start_sweep"
BATCH: Final = 500
SAMPLE: Final = 10


class FilterForm(forms.Form):
    """Which grants. At least one besides the service."""

    service = forms.ModelChoiceField(Service.objects.none(), label=_("Service"))
    client = forms.CharField(
        label=_("Client ID"),
        required=False,
        widget=forms.TextInput(attrs={"data-suggest": "client", "autocomplete": "off"}),
    )
    subject = forms.CharField(label=_("Subject"), required=False, strip=False)
    scope = forms.CharField(label=_("Scope"), required=False)
    authorization_type = forms.CharField(label=_("Authorization type"), required=False)
    created_before = forms.DateTimeField(
        label=_("Created before (UTC)"),
        required=False,
        help_text=_("As 2026-01-31 12:00:00. With a service or a client alone: a cut-off, at once"),
    )

    def __init__(self, *args: Any, services: "QuerySet[Service]", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = services  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The filter as `wanted`."""
        values: dict[str, Any] = super().clean() or {}
        if self.errors:
            return values
        try:
            values["wanted"] = self._wanted(values)
        except EmptyFilter:
            raise forms.ValidationError(
                _("Say which grants: a service alone is not enough.")
            ) from None
        return values

    def _wanted(self, values: dict[str, Any]) -> GrantFilter:
        client = self._client(values["service"], values["client"]) if values["client"] else None
        before = values["created_before"]
        if before is not None and before > timezone.now():
            raise forms.ValidationError({"created_before": _("That is in the future.")})
        names = {name: values[name] or None for name in ("subject", "scope", "authorization_type")}
        return GrantFilter(values["service"], client, created_before=before, **names)

    def _client(self, service: Service, client_id: str) -> Client:
        client = Client.objects.filter(service=service, client_id=client_id).first()
        if client is None:
            raise forms.ValidationError({"client": _("The service has no such client.")})
        return client


class ConfirmForm(ReasonForm):
    """The last word: the client's ID or the count, typed; and a number that can be used once."""

    typed = forms.CharField(label=_("To confirm, type"), required=True)
    sweep = forms.UUIDField(widget=forms.HiddenInput)
    field_order = ("typed", "reason", "note", "ticket", "sweep")


@admin.register(Sweep)
class SweepAdmin(ListAdmin[Sweep]):
    """A revoke by filter, running or done."""

    order = ("-started_at", "-pk")
    related = ("service", "client")
    columns = (
        Column(_("Started"), lambda sweep: moment(sweep.started_at), leads=True),
        Column(_("Status"), lambda sweep: _status(sweep)),
        Column(_("Who"), lambda sweep: sweep.actor),
        Column(_("Which"), lambda sweep: described(sweep.wanted())),
        Column(_("Revoked"), lambda sweep: f"{sweep.revoked:,}"),
        Column(_("Reason"), lambda sweep: sweep.reason),
    )
    change_form_template = "admin/grant_management/sweep.html"

    def get_urls(self) -> list[URLPattern]:
        """Choose, check, start; watch, pause, resume, report."""
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
        """A new one."""
        may = request.user.has_perm(MAY_START)
        return [(_("Revoke by filter…"), self.url("start"))] if may else []

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """Step 1: choose."""
        self._check_may_start(request)
        services = self._services(request)
        first = {"service": services.first()} | request.GET.dict()
        form = FilterForm(initial=first, services=services)
        return self._ask(request, form)

    def check_view(self, request: HttpRequest) -> HttpResponse:
        """Step 2: how many, whose, some of them. Step 3, here too: confirmed, it starts."""
        self._check_may_start(request)
        if request.method != "POST":
            return HttpResponseRedirect(self.url("start"))
        form = FilterForm(request.POST, services=self._services(request))
        if not form.is_valid():
            return self._ask(request, form)
        wanted: GrantFilter = form.cleaned_data["wanted"]
        confirmed = ConfirmForm(request.POST if "sweep" in request.POST else None)
        confirmed.initial = {"sweep": uuid.uuid4()}
        count = wanted.count()
        phrase = wanted.client.client_id if wanted.client else shown_number(count)
        if confirmed.is_bound and confirmed.is_valid():
            if confirmed.cleaned_data["typed"].strip() == phrase:
                return self._start(request, wanted, confirmed.cleaned_data)
            confirmed.add_error("typed", _("That is not what was asked for."))
        return self._confirm(request, form, confirmed, wanted, count, phrase)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The job."""
        sweep = self.get_object(request, object_id)
        context = {} if sweep is None else self._watched(request, sweep)
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def progress_view(self, request: HttpRequest, pk: uuid.UUID) -> JsonResponse:
        """What the script of the job's page asks for."""
        return JsonResponse(_progress(self._sweep(request, pk)))

    def pause_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """POST: stop after the batch in hand."""
        return self._move(request, self._sweep(request, pk), Sweep.pause, timezone.now())

    def resume_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """POST: go on, here."""
        sweep = self._sweep(request, pk)
        self._check_may_start(request)
        if request.method == "POST":
            sweep.resume()
            work_in_background(sweep)
        return HttpResponseRedirect(self.url("change", sweep))

    def csv_view(self, request: HttpRequest, pk: uuid.UUID) -> StreamingHttpResponse:
        """Each grant that it revoked, on a line."""
        sweep = self._sweep(request, pk)
        return attachment(_lines(sweep), f"revoked-{sweep.pk}.csv", "text/csv; charset=utf-8")

    def json_view(self, request: HttpRequest, pk: uuid.UUID) -> StreamingHttpResponse:
        """What was asked for, by whom and why; what came of it, by client."""
        sweep = self._sweep(request, pk)
        text = json.dumps(_report(sweep), indent=2)
        return attachment(iter([text]), f"revoked-{sweep.pk}.json", "application/json")

    def _services(self, request: HttpRequest) -> "QuerySet[Service]":
        return limited(Service.objects.order_by("name"), request, "organization")

    def _check_may_start(self, request: HttpRequest) -> None:
        if not (request.user.has_perm(MAY_START) and self.has_view_permission(request)):
            raise PermissionDenied

    def _sweep(self, request: HttpRequest, pk: uuid.UUID) -> Sweep:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related("service", "client")
        sweep = rows.filter(pk=pk).first()
        if sweep is None:
            raise Http404
        return sweep

    def _ask(self, request: HttpRequest, form: FilterForm) -> HttpResponse:
        title, check = _("Revoke by filter: choose"), self.url("check")
        return self.page(request, "choose.html", title, form=form, check=check)

    def _confirm(
        self,
        request: HttpRequest,
        form: FilterForm,
        confirm: ConfirmForm,
        wanted: GrantFilter,
        count: int,
        phrase: str,
    ) -> HttpResponse:
        sample = wanted.sample(SAMPLE)
        context = {
            "form": form,
            "confirm": confirm,
            "wanted": described(wanted),
            "count": shown_number(count),
            "none": count == 0 and not wanted.is_cut_off,
            "phrase": phrase,
            "sample": sample,
            "clients": _by_client(wanted),
            "is_cut_off": wanted.is_cut_off,
            "stays": not wanted.service.revoke_access_tokens,
        }
        return self.page(request, "check.html", _("Revoke by filter: check"), **context)

    def _start(
        self, request: HttpRequest, wanted: GrantFilter, values: dict[str, Any]
    ) -> HttpResponse:
        """One sweep for each form, however often it is sent."""
        why = Reason(values["reason"], values["note"], values["ticket"])
        actor = Actor.operator(request.user.get_username())
        now = timezone.now()
        try:
            with transaction.atomic():
                sweep = Sweep.objects.start(wanted, now, actor, why, pk=values["sweep"])
        except IntegrityError:
            messages.warning(request, _("That was started already: this is it."))
            return HttpResponseRedirect(self.url("change", Sweep(pk=values["sweep"])))
        work_in_background(sweep)
        return HttpResponseRedirect(self.url("change", sweep))

    def _move(self, request: HttpRequest, sweep: Sweep, move: Any, *args: Any) -> HttpResponse:
        self._check_may_start(request)
        if request.method == "POST":
            move(sweep, *args)
        return HttpResponseRedirect(self.url("change", sweep))

    def _watched(self, request: HttpRequest, sweep: Sweep) -> dict[str, Any]:
        return {
            "sweep": sweep,
            "wanted": described(sweep.wanted()),
            "badge": _status(sweep),
            "started": moment(sweep.started_at),
            "finished": moment(sweep.finished_at),
            "progress": _progress(sweep),
            "may": request.user.has_perm(MAY_START),
        }


def work_in_background(sweep: Sweep) -> None:
    """Work on it in a thread of this process, unless somebody does. Where the process ends, the
    sweep is stopped, and can be resumed from its page or by command.
    """
    if sweep.claim(timezone.now()):
        name = f"sweep-{sweep.pk}"
        threading.Thread(target=_work, args=(sweep,), name=name, daemon=True).start()


def _work(sweep: Sweep) -> None:
    try:
        for _number in sweep.work(BATCH, timezone.now):
            pass
    finally:
        connections.close_all()


def described(wanted: GrantFilter) -> str:
    """A filter in words."""
    before = wanted.created_before
    said = {
        _("service"): wanted.service.name,
        _("client"): wanted.client.client_id if wanted.client else None,
        _("subject"): wanted.subject,
        _("scope"): wanted.scope,
        _("authorization type"): wanted.authorization_type,
        _("created before"): f"{before.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if before else None,
    }
    return ", ".join(f"{name} {value}" for name, value in said.items() if value is not None)


def _by_client(wanted: GrantFilter) -> list[tuple[str, int]]:
    """How many of the first that are found are whose."""
    names = Counter(grant.client.client_id for grant in wanted.sample(COUNT_LIMIT))
    return names.most_common(SAMPLE)


def _status(sweep: Sweep) -> str:
    status = sweep.status(timezone.now())
    return state(status, status.label)


def _progress(sweep: Sweep) -> dict[str, Any]:
    """Figures of the moment. Rate: grants a second since the start; seconds left, where known."""
    now = timezone.now()
    status = sweep.status(now)
    ended = sweep.finished_at or sweep.worked_at or now
    seconds = max((ended - sweep.started_at).total_seconds(), 0.001)
    rate = sweep.revoked / seconds
    known = sweep.expected <= COUNT_LIMIT
    left = max(sweep.expected - sweep.revoked, 0) / rate if known and rate else None
    return {
        "status": status.value,
        "label": str(status.label),
        "revoked": sweep.revoked,
        "expected": sweep.expected if known else None,
        "expectedShown": shown_number(sweep.expected),
        "rate": round(rate, 1),
        "secondsLeft": None if left is None or status is SweepStatus.DONE else round(left),
    }


def _report(sweep: Sweep) -> dict[str, Any]:
    clients = Counter(sweep.events().values_list("client_id", flat=True).iterator())
    finished = sweep.finished_at
    return {
        "id": str(sweep.pk),
        "filter": described(sweep.wanted()),
        "startedBy": sweep.actor,
        "startedAt": sweep.started_at.isoformat(),
        "finishedAt": finished.isoformat() if finished else None,
        "status": sweep.status(timezone.now()).value,
        "reason": sweep.reason,
        "note": sweep.note,
        "ticket": sweep.ticket,
        "revoked": sweep.revoked,
        "byClient": dict(sorted(clients.items())),
    }


def _lines(sweep: Sweep) -> Iterator[str]:
    names = ("grant_id", "client_id", "subject", "at", "id")
    yield as_csv_line(names)
    for row in sweep.events().values_list(*names).iterator():
        yield as_csv_line(row)
