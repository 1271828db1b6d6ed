"""The logs of calls, from which the overview counts: what they miss, and how that gets counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.db.models import Subquery
from django.utils.translation import gettext as _

from ..conf import app_settings
from ..db import counting
from ..db.counting import grouped
from ..db.ids import first_uuid7
from ..models import Call, Service
from .kit.utc import exact

LOGS: Final = 10
"""The most services whose logs of calls are read for a page."""


@dataclass(frozen=True)
class Logs:
    """The logs of calls of these services."""

    services: list[Service]

    @cached_property
    def read(self) -> list[Service]:
        """The services that keep one; at most `LOGS`."""
        return [service for service in self.services if service.call_log_size][:LOGS]

    def missed(self, since: datetime) -> Iterator[str]:
        """Sentences about the calls since then that are not counted. 1 or 2 queries for each log,
        the first time.
        """
        if not self.read:
            yield _("No service here keeps a log of calls: set “Call log size” in its settings.")
            return
        if len(self.read) < len(self.services):
            yield self._unread()
        if (one_in := app_settings.call_log_sample) > 1:
            said = _("One call in %(n)s is logged (CALL_LOG_SAMPLE); metrics count all of them.")
            yield said % {"n": one_in}
        for service in self.read:
            yield from self._cut(service, since) or self._begun(service, since)

    def _unread(self) -> str:
        kept = sum(service.call_log_size > 0 for service in self.services)
        if kept > len(self.read):
            said = _("The logs of %(n)s of %(all)s services are read: choose a service.")
        else:
            said = _(
                "The calls of %(n)s of %(all)s services are counted. The others keep no log: set"
                " “Call log size” in their settings."
            )
        return said % {"n": len(self.read), "all": len(self.services)}

    def _cut(self, service: Service, since: datetime) -> list[str]:
        """Where more calls are in the log than a page reads."""
        key, at = self._ends.get(service.pk, _NONE)
        if at is None or key < first_uuid7(since):
            return []
        said = _("Of %(service)s the newest %(n)s calls, since %(when)s: choose a shorter period.")
        limit = grouped(counting.COUNT_LIMIT)
        return [said % {"service": service, "n": limit, "when": exact(at)}]

    def _begun(self, service: Service, since: datetime) -> list[str]:
        """Where the log begins later, since it was empty, or is too small to have more."""
        told = {"service": service, "size": grouped(service.call_log_size)}
        at = self._begins[service.pk]
        if at is None:
            return [_("The log of %(service)s has no call yet.") % told]
        if at <= since:
            return []
        said = _(
            "The log of %(service)s begins %(when)s: it keeps the newest %(size)s calls, and fewer"
            " of unknown clients (“Call log size”)."
        )
        return [said % {**told, "when": exact(at)}]

    def since(self, service: Service, first: UUID) -> UUID:
        """The key from which a page reads a log, for the calls from `first` on."""
        key, _at = self._ends.get(service.pk, _NONE)
        return max(first, key)

    @cached_property
    def _ends(self) -> dict[int, tuple[UUID, datetime | None]]:
        """The key and the time of the last call that a page reads, of each log that has as many."""
        limit = counting.COUNT_LIMIT
        large = [service for service in self.read if service.call_log_size >= limit]
        found = {one.pk: _nth(one, limit) for one in large}
        return {service: row for service, row in found.items() if row is not None}

    @cached_property
    def _begins(self) -> dict[int, datetime | None]:
        """For each log the time of its oldest call."""
        found = {one.pk: _calls(one).order_by("pk").first() for one in self.read}
        return {service: row and row[1] for service, row in found.items()}


def _nth(service: Service, number: int) -> Any:
    """The key and the time of the call with this number, from the newest on. Its key is found in
    the index alone: with the time, the database would read all the newer calls.
    """
    keys = Call.objects.filter(service=service).order_by("-pk").values("pk")
    return _calls(service).filter(pk=Subquery(keys[number - 1 : number])).first()


def _calls(service: Service) -> Any:
    """The key and the time of each call of a log."""
    return Call.objects.filter(service=service).values_list("pk", "at")


_NONE: Final = (UUID(int=0), None)
