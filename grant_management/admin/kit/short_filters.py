"""Filters of the short lists: the service, a state and a period. Each is a choice, so nothing that
is typed comes into a URL.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ...db import clock
from ...models import Organization, Service
from . import periods
from .database import number
from .read_only import limited

States = Mapping[str, tuple[Any, Callable[[datetime], Q]]]
"""The label of each state, and the condition of its rows at a time."""


class ServiceFilter(admin.SimpleListFilter):
    """The rows of one service, of those that the operator sees."""

    title = _("service")
    parameter_name = "service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        """The number and the name of each service."""
        seen = limited(Service.objects.order_by("name", "pk"), request, "organization")
        return [(str(service.pk), str(service)) for service in seen]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """The rows of the chosen service; all where none is chosen."""
        wanted = chosen_of(self)
        return queryset if wanted is None else queryset.filter(service=number(wanted))


class OrganizationFilter(admin.RelatedFieldListFilter):
    """The rows of one organization, of those that the operator sees."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """The number and the name of each organization: no row of the list is read for them."""
        seen = limited(Organization.objects.order_by("name", "pk"), request, "pk")
        return [(organization.pk, str(organization)) for organization in seen]


class PeriodFilter(admin.SimpleListFilter):
    """The rows of a period that ends now, by the time in `moment`."""

    title = _("period")
    parameter_name = "period"
    moment: ClassVar[str] = "created_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The name and the label of each period."""
        return [(name, label) for name, label in periods.CHOICES if name]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """The rows of the chosen period; all where none is chosen."""
        if (wanted := chosen_of(self)) is None:
            return queryset
        began = periods.beginning(wanted, clock.now())
        return queryset.filter(**{f"{self.moment}__gte": began})


class EventPeriodFilter(PeriodFilter):
    """The same for events."""

    moment = "at"


class StateFilter(admin.SimpleListFilter):
    """The rows in one of these states."""

    title = _("status")
    parameter_name = "state"
    states: ClassVar[States]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The name and the label of each state."""
        return [(name, label) for name, (label, _condition) in self.states.items()]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """The rows in the chosen state; all where none is chosen."""
        if (wanted := chosen_of(self)) is None:
            return queryset
        return queryset.filter(self.states[wanted][1](clock.now()))


def chosen_of(one: admin.SimpleListFilter) -> str | None:
    """The value that is chosen; None: none is. BadRequest: there is no such one."""
    wanted = one.value()
    if wanted is not None and wanted not in {value for value, _label in one.lookup_choices}:
        raise BadRequest
    return wanted
