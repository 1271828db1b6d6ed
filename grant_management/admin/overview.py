"""The overview, the first page of an operator's shift: figures with links to lists, and charts with
a table of their numbers.
"""

from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ..db import clock, replica
from ..db.counting import grouped
from ..models import Client, DailyCount, PurgeRun, Service, Tally
from ..protocol.results import Result
from ..redaction import redacted
from .first_run import is_empty, may_begin
from .kit.display import as_of, time_tag
from .kit.form_fields import RowField
from .kit.making import checklist
from .kit.periods import LENGTHS
from .kit.plain_select import PlainSelect
from .kit.read_only import ReadOnlyAdmin, limited
from .overview_charts import DEFAULT, PERIODS, TOP, charts, percent
from .overview_figures import Active, View, active, backlog, cut_offs, figures
from .related import Listed, lists_of, may_view

SEEN: Final = ("grant", "call", "grantevent", "accesstoken")
"""The models whose rows the page counts, for operators who may view them."""


class OverviewForm(forms.Form):
    """What the overview is of: all services or one, all clients or one; and for the charts the code
    of the calls, and the period.

    A client ID or a code that does not exist is refused, so links never have anything else that was
    typed.
    """

    service = RowField(
        Service.objects.none(),
        label=_("Service"),
        required=False,
        empty_label=_("All services"),
        widget=PlainSelect,
    )
    client = forms.CharField(
        label=_("Client ID"),
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"data-suggest": "client", "autocomplete": "off"}),
    )
    code = forms.CharField(label=_("Code"), required=False, max_length=7)
    period = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=[(name, LENGTHS[name][0]) for name in PERIODS],
        widget=PlainSelect,
    )

    def __init__(self, data: Any, services: "QuerySet[Service]") -> None:
        super().__init__({"period": DEFAULT} | {name: data[name] for name in data})
        self.services = services
        self.fields["service"].rows = list(services)  # type: ignore[attr-defined]

    def clean_client(self) -> str:
        """The client ID. ValidationError: no service that the operator sees has such a client."""
        client_id: str = self.cleaned_data["client"]
        known = Client.objects.filter(service__in=list(self.services), client_id=client_id)
        if client_id and not known.exists():
            raise forms.ValidationError(_("No service here has such a client."))
        return client_id

    def clean_code(self) -> str:
        """The code in capitals. ValidationError: there is none like it."""
        code: str = self.cleaned_data["code"].upper()
        if code and code not in {result.code for result in Result}:
            raise forms.ValidationError(_("There is no such result code."))
        return code

    def query(self) -> str:
        """The query string of the overview with these choices."""
        chosen = self.cleaned_data | {"service": getattr(self.cleaned_data["service"], "pk", "")}
        return urlencode({name: value for name, value in chosen.items() if value})


@admin.register(DailyCount)
class OverviewAdmin(ReadOnlyAdmin[DailyCount]):
    """The overview, in place of a list of counters and of pages for each counter."""

    @redacted
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The overview of the services, the client and the period that the query names."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        services = limited(Service.objects.order_by("name", "pk"), request, "organization")
        if not services and is_empty() and may_begin(request):
            return HttpResponseRedirect(checklist(self))
        is_post = request.method == "POST"
        form = OverviewForm(request.POST if is_post else request.GET, services)
        context: dict[str, Any] = {"form": form}
        if is_post and form.is_valid():
            return HttpResponseRedirect(f"?{form.query()}")
        if form.is_valid():
            shown, behind = replica.read(lambda: self._shown(request, form, list(services)))
            context |= shown | {"behind": as_of(behind)}
        return self.page(request, "overview.html", _("Overview"), **context)

    def _shown(
        self, request: HttpRequest, form: OverviewForm, services: list[Service]
    ) -> dict[str, Any]:
        chosen = form.cleaned_data["service"]
        if not services:
            return {"services": []}
        now = clock.now()
        view = View(
            services if chosen is None else [chosen],
            form.cleaned_data["client"],
            now,
            Tally.current(now),
            form.cleaned_data["code"],
        )
        listed = lists_of(request, chosen)
        live = active(view)
        return {
            "services": services,
            "view": view,
            "figures": [
                (one, listed(one.of, **one.filters))
                for one in figures(view, live)
                if may_view(request, one.of)
            ],
            "sees": {name: may_view(request, name) for name in SEEN},
            "clients": _most(view, live, listed) if may_view(request, "grant") else [],
            **_purging(view, request),
            "cut_offs": [
                (one, self._page(one), at)
                for one, at in cut_offs(view, TOP)
                if may_view(request, str(one._meta.model_name))
            ],
            **charts(request, view, form.cleaned_data["period"] or DEFAULT, listed),
        }

    def _page(self, row: Any) -> str:
        name = f"admin:grant_management_{row._meta.model_name}_change"
        return reverse(name, args=[row.pk], current_app=self.admin_site.name)


def _most(view: View, live: Active, listed: Listed) -> list[Any] | None:
    """The clients with the most active grants; None: they are not counted."""
    if live.by_client is None:
        return None
    names = {service.pk: service for service in view.services}
    most = live.by_client.most_common(TOP)
    return [
        (
            client_id,
            names[key] if len(names) > 1 else "",
            number,
            percent(number, most),
            listed("grant", client=client_id, status="active", service=str(key)),
        )
        for (key, client_id), number in most
    ]


def _purging(view: View, request: HttpRequest) -> dict[str, Any]:
    """What is left for a purge, and the last one; {} where the page is of one client, since a purge
    is of all of them.
    """
    if view.client_id:
        return {}
    counted = backlog(view) if may_view(request, "accesstoken") else ""
    return {"purging": {"backlog": counted, "last": _last_purge()}}


def _last_purge() -> dict[str, Any] | None:
    """When the last purge ended, the rows that it deleted, and its seconds; None: none ended."""
    run = PurgeRun.objects.latest_run()
    if run.finished_at is None:
        return None
    seconds = grouped(run.took.total_seconds(), 1)
    return {"at": time_tag(run.finished_at), "deleted": grouped(run.deleted), "seconds": seconds}
