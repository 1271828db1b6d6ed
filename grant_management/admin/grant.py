"""Grants: the list, and the page that shows one and revokes it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Max, Q, QuerySet
from django.db.models.lookups import IsNull
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..db.counting import bounded_count, shown_number
from ..db.keyset import Order, Rows
from ..db.unindexed import Unindexed
from ..models import AccessToken, Client, EventKind, Grant, GrantStatus, RefreshToken
from ..models.content_search import AuthorizationTypes, holds_type
from ..models.grant import CONTENT, status_condition
from ..models.stops import LOOKS, staying, stopping, stops_of_grant
from ..protocol import strict_json
from .grant_page import grant_page
from .in_words import in_a_row, named_by
from .kit import content
from .kit.actions import ObjectAction, OperatorAdmin, Text
from .kit.display import few, identifier, isolated, link, over, short_id, state
from .kit.export import in_parts
from .kit.listing import BetweenForm, Column, fields, moment
from .kit.utc import exact
from .related import may_view, row_url_of
from .revoke_many import RevokeManyPages
from .search import SearchPage


class GrantListForm(BetweenForm):
    """Filters: subject, client ID or grant ID in one box; client, status, type, times."""

    moment_field = "created_at"
    searches = _("Subject, client ID or grant ID")
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("Any")), *GrantStatus.choices]
    )
    client = forms.CharField(
        label=_("Client ID"),
        required=False,
        widget=forms.TextInput(attrs={"data-suggest": "client", "autocomplete": "off"}),
    )
    authorization_type = forms.CharField(label=_("Authorization type"), required=False)
    expires_within = forms.IntegerField(
        label=_("Expires within days"), required=False, min_value=1, max_value=3650
    )

    def narrow(self, rows: Rows) -> Rows:
        """By the search term, the client, the time of creation and the time of expiry."""
        rows = super().narrow(rows)
        values = self.given("q", "client", "expires_within")
        if "expires_within" in values:
            now = clock.now()
            end = now + timedelta(days=values["expires_within"])
            rows = rows.filter(expires_at__gt=now, expires_at__lte=end)
            # Of a client, the index of its grants finds fewer than that of what expires.
            state = Unindexed("revoked_at") if "client" in values else F("revoked_at")
            rows = rows.filter(IsNull(state, True))
        if "client" in values:
            rows = rows.filter(client__in=self._clients(values["client"]))
        return self._searched(rows, values["q"]) if "q" in values else rows

    def condition(self) -> Q | None:
        """By status and authorization type."""
        values = self.given("status", "authorization_type")
        found = Q()
        if "status" in values:
            status = GrantStatus(values["status"])
            found &= status_condition(status, clock.now(), self.chosen())
        if "authorization_type" in values:
            found &= holds_type(values["authorization_type"])
        return found or None

    def ordered(self, order: Order) -> Order:
        """What expires soon has an index of its own, in which the first to expire is first."""
        return ("expires_at", "pk") if self.given("expires_within") else order

    def _searched(self, rows: Rows, term: str) -> Rows:
        ways = [Q(grant_id=term), Q(subject=term)]
        if clients := self._clients(term):
            ways.append(Q(client__in=clients))
        return self.found_by(rows, ways)

    def _clients(self, client_id: str) -> list[int]:
        known = Client.objects.filter(service__in=self.chosen(), client_id=client_id)
        return list(known.values_list("pk", flat=True))


def _what_stops(grant: Grant) -> Iterable[Text]:
    """Sentences that say what a revoke of this grant stops, and what it leaves alone."""
    now = clock.now()
    is_active = grant.status(now) is GrantStatus.ACTIVE
    access, last = _number_and_end(_live(AccessToken, grant, grant.access_generation, now))
    tokens = _live(RefreshToken, grant, grant.refresh_generation, now)
    refresh = bounded_count(tokens.order_by("-pk"))
    names = {"client": grant.client, "subject": grant.subject or _("nobody")}
    # Whether a revoke also revokes access tokens is the server's choice (draft §6.5).
    stopped = access if grant.service.revoke_access_tokens else 0
    yield _("%(client)s for %(subject)s") % names
    yield stopping(int(is_active), shown_number(stopped), shown_number(refresh))
    if not grant.service.revoke_access_tokens:
        yield staying(access)
    if access:
        yield last
    yield _("%(client)s loses: %(held)s") % {"client": grant.client, "held": _held(grant)}
    yield _("It cannot be undone.")


def _held(grant: Grant) -> str:
    listed = grant.its_row().annotate(**content.listed()).only("pk").get()
    scopes, types = content.names_in(listed)
    if scopes is None or types is None:
        return str(_("more than can be listed here"))
    return content.cut(few(sorted({*scopes, *types}), 10))


def _number_and_end(tokens: "QuerySet[AccessToken]") -> tuple[int, str]:
    """How many there are, and a sentence with the end of the last one; of the first `LOOKS[-1]`."""
    # Of a slice: else a database might look for the last one by the index of all expiries.
    newest = tokens.order_by("-pk").values("expires_at")[: LOOKS[-1]]
    found = newest.aggregate(number=Count("*"), last=Max("expires_at"), ending=Count("expires_at"))
    if found["last"] is None or found["ending"] < found["number"]:
        return found["number"], str(_("Not all of the access tokens expire by themselves."))
    said = _("The last access token expires at %(at)s.") % {"at": exact(found["last"])}
    return found["number"], str(said)


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
    stops=stops_of_grant,
    says_numbers=True,
)


def _status(grant: Grant) -> str:
    status = grant.status(clock.estimate())
    return state(status, status.label)


def _person(grant: Any) -> Any:
    """The subject, which leads to the page of the person; a grant's ID leads to the grant."""
    return link(grant.person_url, isolated(grant.subject)) if grant.subject else _("nobody")


def _client(grant: Any) -> str:
    """The client, which leads to its page, for those who may see it."""
    name = isolated(grant.client)
    shown = link(grant.client_url, name) if grant.client_url else name
    return over(shown, grant.client.client_id)


def _grant_id(grant: Grant) -> str:
    return identifier(grant.grant_id, _("grant ID"))


def _status_value(grant: Grant) -> str:
    return grant.status(clock.estimate()).value


def _client_id(grant: Grant) -> str:
    return str(grant.client.client_id)


def _scopes(grant: Grant) -> str:
    return " ".join(sorted(grant.scope_names()))


def _types(grant: Any) -> str:
    return " ".join(strict_json.stored(grant.types))


def _with_names(rows: Rows) -> Rows:
    """With scopes, and with the types of authorization details in place of the details."""
    types = AuthorizationTypes(F("authorization_details"))
    # `defer(None)` undoes what `get_queryset` defers; CONTENT[0] is the scopes.
    wanted = rows.select_related("service", "client").defer(None).defer(*CONTENT[1:])
    named: Rows = wanted.annotate(types=types)
    return named


def _names(place: int) -> Callable[[Any], str]:
    """A column's function: it shows the scopes (`place` 0) or types (1) of a row, in plain words
    where its service describes them.
    """
    return lambda row: in_a_row(row.named[place])


@admin.register(Grant)
class GrantAdmin(SearchPage, RevokeManyPages, OperatorAdmin[Grant]):
    """Grants, with an action to revoke one and an export; people, whose grants they are; and the
    search for rows of every kind.
    """

    order = ("-created_at", "-pk")
    list_form = GrantListForm
    related = ("service", "client")
    columns = (
        Column(_("Status"), _status, key="status", exported={"status": _status_value}),
        Column(
            _("Grant"),
            lambda grant: short_id(grant.grant_id),
            leads=True,
            exported=fields("grant_id", "service_id"),
        ),
        Column(_("Subject"), _person, exported=fields("subject")),
        Column(_("Client"), _client, key="client", exported={"client_id": _client_id}),
        Column(_("Scopes"), _names(0), key="scopes", exported={"scopes": _scopes}),
        Column(
            _("Authorization types"),
            _names(1),
            key="types",
            exported={"authorization_types": _types},
        ),
        moment(_("Created"), "created_at", "created", sort=("created_at", "pk")),
        moment(_("Last used"), "last_used_at", "last_used"),
        moment(_("Expires"), "expires_at", "expires"),
        Column(
            _("Grant ID"),
            _grant_id,
            key="grant_id",
            is_default=False,
            exported=fields("grant_id"),
        ),
        moment(_("Changed"), "last_updated_at", "changed", is_default=False),
        moment(_("Revoked"), "revoked_at", "revoked", is_default=False),
    )
    empty_text = _("There is no grant yet.")
    file_name = "grants"
    object_actions = (REVOKE,)
    change_form_template = "admin/grant_management/grant.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Grant]":
        """Without the grants' content, which may be large: a page reads as much as it shows."""
        return super().get_queryset(request).defer(*CONTENT)

    def to_list(self, rows: Rows) -> Rows:
        """Annotated with scope names and authorization types, unless these are too long."""
        listed: Rows = super().to_list(rows).defer(*CONTENT).annotate(**content.listed())
        return listed

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """With the URL of the person whose grant it is and that of its client, and with its scopes
        and types in plain words: 1 query.
        """
        person_url, client_url = self.url_of("person"), row_url_of(request, "client_change")
        named, sees_client = dict(named_by(rows)), may_view(request, "client")
        for row in rows:
            row.person_url = person_url(row)
            row.client_url = client_url(row.client_id) if sees_client else ""
            row.named = named[row.pk]

    def to_export(self, turns: Iterable[Rows]) -> Iterator[Any]:
        """With the scopes, which can be large, of some rows at a time."""
        return in_parts(map(_with_names, turns), content.Size("scopes"))

    def form_tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """The export and, with permission, a revoke by these filters."""
        shown = super().form_tools(request)
        if request.user.has_perm("grant_management.start_sweep"):
            name = "admin:grant_management_sweep_start"
            start = reverse(name, current_app=self.admin_site.name)
            shown.append((_("Revoke by filter…"), start))
        return shown

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a grant, and of its content."""
        wrap, name = self.admin_site.admin_view, "grant_management_grant"
        return [
            path("<path:object_id>/content.json", wrap(self.content_view), name=f"{name}_content"),
            *super().get_urls(),
        ]

    def content_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The grant's whole content as a JSON file; its page shows only as much as fits."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        grant = self.get_object(request, object_id)
        if grant is None:
            raise Http404
        return content.whole(grant)

    def buttons(self, request: HttpRequest, row: Grant) -> list[tuple[Text, str]]:
        """The actions, and a link to the what-if tester with this grant ID filled in."""
        shown = super().buttons(request, row)
        if request.user.has_perm("grant_management.revoke_grant"):
            name = "admin:grant_management_service_what_if"
            tester = reverse(name, args=[row.service_id], current_app=self.admin_site.name)
            shown.append(
                (_("Try a call: what would be answered?"), f"{tester}?grant_id={row.grant_id}")
            )
        return shown

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The grant, a page of its tokens, and its timeline."""
        request.current_app = self.admin_site.name
        grant = self.get_object(request, object_id)
        context = {} if grant is None else grant_page(grant, request)
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))
