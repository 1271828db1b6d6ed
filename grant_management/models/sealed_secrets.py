"""Every secret that is stored encrypted, and how it comes under another of `ENCRYPTION_KEYS`."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

from django.db.models import Model, QuerySet

from ..db import encryption
from ..db.of_service import at_services
from ..db.service_row import OfService
from .service import Service
from .signing_key import SigningKey
from .stream import Stream
from .webhook_key import WebhookKey

COLUMNS: Final[tuple[tuple[type[Model], str], ...]] = (
    (WebhookKey, "sealed"),
    (SigningKey, "sealed"),
    (Stream, "header"),
)


class Found(StrEnum):
    """How a secret was found. LOST: none of the keys fits."""

    OLD = "reencrypted"
    CURRENT = "current"
    LOST = "lost"


def reencrypt(batch_size: int, *, is_dry: bool = False) -> Iterator[Found]:
    """Put each secret under the first of `ENCRYPTION_KEYS`; yields how each was found.

    `is_dry`: change nothing. It reads so many rows at a time, and writes each by itself, unless the
    secret was replaced meanwhile: whoever replaces it encrypts it under the first key, too.
    """
    for model, column in COLUMNS:
        for key, sealed in _rows(model, column, batch_size):
            found = _found(sealed)
            if found is Found.OLD and not is_dry:
                rows = _of_all_services(model).filter(pk=key, **{column: sealed})
                rows.update(**{column: encryption.renewed(sealed)})
            yield found


def _rows(model: type[Model], column: str, batch_size: int) -> Iterator[tuple[Any, bytes]]:
    rows = _of_all_services(model).exclude(**{column: None}).order_by("pk")
    page = list(rows.values_list("pk", column)[:batch_size])
    while page:
        yield from ((key, bytes(sealed)) for key, sealed in page)
        page = list(rows.filter(pk__gt=page[-1][0]).values_list("pk", column)[:batch_size])


def _of_all_services(model: type[Model]) -> "QuerySet[Any]":
    """All rows; those of services with these named."""
    rows = model._default_manager.all()
    is_of_service = issubclass(model, OfService)
    return rows.filter(at_services(Service.objects.values("pk"))) if is_of_service else rows


def _found(sealed: bytes) -> Found:
    try:
        encryption.decrypt(sealed)
    except encryption.CannotDecrypt:
        return Found.LOST
    return Found.CURRENT if encryption.is_current(sealed) else Found.OLD
