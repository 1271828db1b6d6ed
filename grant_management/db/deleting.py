"""Deletes rows of services together with what else refers to them, as Django does."""

from typing import Any

from django.db import router
from django.db.models import signals
from django.db.models.deletion import Collector

from .of_service import WithinService, at_services


class _Collector(Collector):
    """Looks for what refers to rows of a service at that service."""

    def related_objects(self, related_model: Any, related_fields: Any, objs: Any) -> Any:
        rows = super().related_objects(related_model, related_fields, objs)
        if all(isinstance(one, WithinService) for one in related_fields):
            rows = rows.filter(at_services(one.service_id for one in objs))
        return rows


def delete(rows: Any) -> tuple[int, dict[str, int]]:
    """Delete the rows of a query set that names their keys and services: how many rows went, and
    how many of each model. ProtectedError: other rows refer to them.
    """
    rows = rows.using(router.db_for_write(rows.model))
    collector = _Collector(using=rows.db, origin=rows)
    if collector.can_fast_delete(rows):
        return rows.delete()  # type: ignore[no-any-return]
    collector.collect(list(rows.only("pk", "service")))
    if not _is_heard(rows.model):
        # Django would delete them by their keys alone.
        collector.data.pop(rows.model, None)
        collector.fast_deletes.append(rows)
    deleted: tuple[int, dict[str, int]] = collector.delete()
    return deleted


def _is_heard(model: Any) -> bool:
    """Whether somebody wants to be told of each row."""
    return any(one.has_listeners(model) for one in (signals.pre_delete, signals.post_delete))
