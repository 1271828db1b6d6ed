"""Where the rows of a table are, once services are spread over the nodes of a cluster."""

from collections.abc import Iterator
from typing import Any, Final

from django.apps import apps
from django.db import models

APP: Final = "grant_management"
EVERYWHERE: Final = ("organization", "service", "apitoken")
"""Models that each node has whole: they are small, and each call needs them."""
QUEUES: Final = ("outboxentry", "webhook", "stream", "streamsubject")
"""Models of queues, and of those who wait in them, which one node has whole.

Any worker takes the next row, whichever service it is of, and numbers are given one after another.
"""


def is_of_service(model: type[models.Model]) -> bool:
    """Whether each row of a model is kept where its service is."""
    if model._meta.app_label != APP or model._meta.model_name in (*EVERYWHERE, *QUEUES):
        return False
    return any(field.column == "service_id" for field in model._meta.concrete_fields)


def of_service() -> Iterator[type[models.Model]]:
    """The models whose rows are kept where their service is; a model follows those it refers to."""
    waiting = [one for one in apps.get_app_config(APP).get_models() if is_of_service(one)]
    while waiting:
        first = next(one for one in waiting if not _referred(one) & {*waiting} - {one})
        waiting.remove(first)
        yield first


def everywhere() -> Iterator[type[models.Model]]:
    """The models that each node has whole; a model follows those it refers to."""
    return (apps.get_model(APP, name) for name in EVERYWHERE)


def _referred(model: type[models.Model]) -> set[Any]:
    return {field.related_model for field in model._meta.concrete_fields if field.is_relation}
