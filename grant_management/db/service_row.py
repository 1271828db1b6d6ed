"""The base of models whose rows are a service's: statements about an instance name the service."""

from typing import Any, Self

from django.db import models

from .deleting import delete


class OfService(models.Model):
    """A row of a service: what Django sends about an instance names the service, too."""

    class Meta:
        abstract = True

    def its_row(self) -> "models.QuerySet[Self]":
        """The query set of this row alone."""
        return self._within(type(self)._default_manager.filter(pk=self.pk))

    def _within(self, rows: "models.QuerySet[Self]") -> "models.QuerySet[Self]":
        if "service_id" in self.get_deferred_fields():
            return rows
        return rows.filter(service_id=self.service_id)  # type: ignore[attr-defined]

    def _do_update(self, base_qs: Any, *args: Any, **kwargs: Any) -> Any:
        # Django 6.0 has one parameter more.
        return super()._do_update(self._within(base_qs), *args, **kwargs)

    def refresh_from_db(
        self, using: str | None = None, fields: Any = None, from_queryset: Any = None
    ) -> None:
        """As Django's; also for a column that was deferred."""
        if from_queryset is None:
            # As Django: the database that it was read from, if the router has no other answer.
            manager = type(self)._base_manager
            from_queryset = manager.db_manager(using, hints={"instance": self}).all()
        super().refresh_from_db(using, fields, self._within(from_queryset))

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """As Django's; the instance keeps its key."""
        return delete(self._within(type(self)._base_manager.using(using).filter(pk=self.pk)))

    def _perform_unique_checks(self, unique_checks: Any) -> Any:
        """Keys are unique within a service: what has no service in it is not looked for."""
        within = [one for one in unique_checks if "service" in one[1]]
        return super()._perform_unique_checks(within)  # type: ignore[misc]
