"""Relations between rows of one service: every join names the service of both.

A key alone finds the same row. But where the tables are spread over several databases by their
service, a statement that names the service of each table runs on one of them.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models
from django.db.models import F
from django.db.models.lookups import In


class _AtServices(In):
    """`service_id IN`. On SQLite no index answers it: without statistics SQLite takes one of the
    service for the best, even beside 500 keys, and then reads all rows of the service.
    """

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """With the sign that keeps SQLite from using an index."""
        sql, parameters = self.as_sql(compiler, connection)
        return f"+{sql}", parameters


def at_services(services: Any) -> Any:
    """A condition for `filter` beside one about keys: the row is of one of these services.

    `services` are their numbers, or a query of one column. No number at all: no row.
    """
    return _AtServices(F("service"), services if hasattr(services, "query") else set(services))


def these(rows: Any, found: Iterable[tuple[Any, int]]) -> Any:
    """The rows with these keys, each of which comes with the number of its service."""
    keys, services = [], set()
    for key, service in found:
        keys.append(key)
        services.add(service)
    return rows.filter(at_services(services), pk__in=keys) if keys else rows.none()


class WithinService:
    """For a relation between two models that both have a `service`."""

    of_django: ClassVar[str]
    """The name of Django's field. Migrations know the field by it."""

    def deconstruct(self) -> Any:
        """As Django's field."""
        name, _path, args, kwargs = super().deconstruct()  # type: ignore[misc]
        return name, f"django.db.models.{self.of_django}", args, kwargs

    def get_joining_fields(self, reverse_join: bool = False) -> tuple[tuple[Any, Any], ...]:
        """The pairs of columns that a join compares: the keys, and the services."""
        keys = super().get_joining_fields(reverse_join)  # type: ignore[misc]
        here, there = (
            model._meta.get_field("service")
            for model in (self.model, self.remote_field.model)  # type: ignore[attr-defined]
        )
        return (*keys, (there, here) if reverse_join else (here, there))

    def get_extra_descriptor_filter(self, instance: models.Model) -> dict[str, Any]:
        """What else `instance.<relation>` is looked up by."""
        return {"service": instance.service_id}  # type: ignore[attr-defined]


class ForeignKeyWithinService(WithinService, models.ForeignKey):  # type: ignore[type-arg]
    """Django's foreign key, within a service."""

    of_django = "ForeignKey"


class OneToOneWithinService(WithinService, models.OneToOneField):  # type: ignore[type-arg]
    """Django's one-to-one relation, within a service."""

    of_django = "OneToOneField"
