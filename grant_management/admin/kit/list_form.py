"""The filters of a list, as a form. A list is always limited to known services, because every index
begins with the service.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import chain
from operator import or_
from typing import Any, ClassVar, Final
from uuid import UUID

from django import forms
from django.db.models import Case, Q, QuerySet, When
from django.utils.translation import gettext_lazy as _

from ...db import clock
from ...db.any_of import any_of
from ...db.clock import CLOCK_TOLERANCE
from ...db.ids import first_uuid7
from ...db.keyset import Order, Rows
from ...models import Service
from . import periods
from .form_fields import RowField
from .plain_select import PlainSelect
from .utc import FirstMomentField, LastMomentField

SORT: Final = "sort"
"""The parameter that names the order of a list."""
FEW: Final = 2_000
"""Rows that are found one by one where several conditions match."""


@dataclass(frozen=True)
class Applied:
    """A filter that is filled in: its parameter, its label and its value in words."""

    name: str
    label: Any
    value: str


class ListForm(forms.Form):
    """The filters of a list. Subclasses put those that an index answers into `narrow`, and the
    others into `condition`.

    `searches` says what the box `q` filters by, as its label; without it there is no box. `sorts`
    are the choices of the order; with fewer than two there is none.
    """

    q = forms.CharField(required=False)
    service = RowField(
        Service.objects.none(), label=_("Service"), required=False, empty_label=_("All services")
    )
    searches: ClassVar[Any] = ""
    search_help: ClassVar[Any] = _("Exact. For a token use the search at the top of the page")

    def __init__(
        self,
        *args: Any,
        services: "QuerySet[Service]",
        sorts: list[tuple[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.services = services
        self.fields["service"].queryset = services  # type: ignore[attr-defined]
        if self.searches:
            self.fields["q"].label, self.fields["q"].help_text = self.searches, self.search_help
        else:
            del self.fields["q"]
        if sorts and len(sorts) > 1:
            self.fields[SORT] = forms.ChoiceField(choices=sorts, label=_("Order"), required=False)
        for field in self.fields.values():
            if isinstance(field, forms.ChoiceField):
                field.widget = PlainSelect(field.widget.attrs, field.choices)  # type: ignore[arg-type]

    def chosen(self) -> list[int]:
        """The number of the chosen service, or the numbers of all that this operator sees. The
        page, its count and its export all use this list, so they cover the same services.
        """
        service = self.cleaned_data.get("service")
        return [one.pk for one in self._seen] if service is None else [service.pk]

    @property
    def _seen(self) -> list[Service]:
        field: Any = self.fields["service"]
        seen: list[Service] = field.rows
        return seen

    def where(self) -> str:
        """The services of the list, in words; "" where the operator sees none."""
        service = self.cleaned_data.get("service")
        services = self._seen if service is None else [service]
        if len(services) == 1:
            return _("in %(service)s") % {"service": services[0]}
        return _("in all %(n)s services") % {"n": len(services)} if services else ""

    def applied(self) -> Iterator[Applied]:
        """The filters that are filled in, valid or not; the order is none."""
        for field in self:
            value = field.value()
            if field.name != SORT and value not in (None, "", False):
                yield Applied(field.name, field.label, self._in_words(field, str(value)))

    def _in_words(self, field: Any, value: str) -> str:
        if isinstance(field.field, forms.BooleanField):
            return ""
        if isinstance(field.field, RowField):
            return str(getattr(self, "cleaned_data", {}).get(field.name) or value)
        choices = dict(getattr(field.field, "choices", ()))
        return str(choices.get(value, value))

    def narrow(self, rows: Rows) -> Rows:
        """The rows that match the filters that an index answers; here all rows."""
        return rows

    def condition(self) -> Q | None:
        """The filters that no index answers; None: there are none. A page looks for matches in a
        window of rows (see `db.keyset`).
        """
        return None

    def ordered(self, order: Order) -> Order:
        """The order in which an index has the rows of these filters, where it is another one that
        means the same.
        """
        return order

    def found_by(self, rows: Rows, ways: "list[Q]") -> Rows:
        """The rows that match at least one of these conditions, each of which has its own index.

        Conditions that match nothing are left out: with them, the OR would read the whole table. So
        it would where several match, and the rows are old: a few rows are found one by one.
        """
        known = rows.filter(service__in=self.chosen())
        finding = _needed(known, [way for way in ways if known.filter(way).exists()])
        if not finding:
            return rows.none()
        if len(finding) > 1:
            found = [known.filter(way).values_list("pk", flat=True)[: FEW + 1] for way in finding]
            if len(keys := set(chain(*found))) <= FEW:
                return rows.filter(any_of("pk", keys))
        return rows.filter(reduce(or_, finding))

    def given(self, *names: str) -> dict[str, Any]:
        """The values of those of these fields that are filled in."""
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data.get(name)}


def _needed(known: Rows, finding: "list[Q]") -> "list[Q]":
    """The conditions without those whose rows are few and all match an earlier one: a client is
    often both what its events are about and who did them. An index has the rows of one in order.
    """
    needed = finding[:1]
    for way in finding[1:]:
        earlier = Case(When(reduce(or_, needed), then=True), default=False)
        rows = known.filter(way).annotate(_is_earlier=earlier)
        seen = rows.values_list("_is_earlier", flat=True)[: FEW + 1]
        if len(seen) > FEW or not all(seen):
            needed.append(way)
    return needed


def texts_of(form: type[ListForm]) -> frozenset[str]:
    """The names of the fields that take any text."""
    found = {
        name
        for name, field in form.base_fields.items()
        if isinstance(field, forms.CharField) and not isinstance(field, forms.UUIDField)
    }
    return frozenset(found if form.searches else found - {"q"})


class BetweenForm(ListForm):
    """Adds filters for the time in `moment_field`: a period that ends now, or from and to a day
    (UTC) or a moment.

    `is_keyed`: an index has the rows by their keys, which are made at about that time.
    """

    moment_field: ClassVar[str] = "at"
    is_keyed: ClassVar[bool] = False
    period = forms.ChoiceField(label=_("Period"), required=False, choices=periods.CHOICES)
    since = FirstMomentField(label=_("From (UTC)"), required=False)
    until = LastMomentField(label=_("To (UTC)"), required=False)

    def narrow(self, rows: Rows) -> Rows:
        """The rows from the first to the last moment, both included."""
        since, until = self._bounds()
        if since is not None:
            rows = rows.filter(**{f"{self.moment_field}__gte": since})
            rows = rows.filter(pk__gte=_key(since, -CLOCK_TOLERANCE)) if self.is_keyed else rows
        if until is not None:
            rows = rows.filter(**{f"{self.moment_field}__lte": until})
            rows = rows.filter(pk__lte=_key(until, CLOCK_TOLERANCE)) if self.is_keyed else rows
        return rows

    def _bounds(self) -> tuple[Any, Any]:
        values = self.given("period", "since", "until")
        since = values.get("since")
        if "period" in values:
            began = periods.beginning(values["period"], clock.now())
            since = began if since is None else max(since, began)
        return since, values.get("until")


class StoredLaterForm(BetweenForm):
    """The same where rows may be stored long after that time, as imported ones are.

    No index has the time: the keys tell which rows are too old, and the others are compared in a
    window.
    """

    def narrow(self, rows: Rows) -> Rows:
        """The rows that were stored since the first moment."""
        since, _until = self._bounds()
        return rows if since is None else rows.filter(pk__gte=_key(since, -CLOCK_TOLERANCE))

    def condition(self) -> Q | None:
        """By the time itself."""
        since, until = self._bounds()
        bounds = {f"{self.moment_field}__gte": since, f"{self.moment_field}__lte": until}
        return Q(**{name: at for name, at in bounds.items() if at is not None}) or None


_FIRST: Final = datetime(1970, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""Between these a key has a time, also after a margin was added."""


def _key(at: datetime, margin: timedelta) -> UUID:
    """The first key of rows of that time; the margin is for clocks that differ."""
    return first_uuid7(min(max(at, _FIRST), _LAST) + margin)
