"""The purge: what has expired goes, in small batches, at any time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import models

from .grant import Grant
from .idempotency import IdempotencyKey
from .nonce import DPoPNonce
from .proof import UsedProof
from .service import Service
from .token import AccessToken, RefreshToken

EXPIRING: tuple[type[models.Model], ...] = (
    UsedProof,
    DPoPNonce,
    IdempotencyKey,
    AccessToken,
    RefreshToken,
    Grant,
)
UNCLAIMED_FOR: Final = timedelta(days=1)
"""How long a grant may be pending. Codes live for minutes."""


def expired(model: type[models.Model], service: Service, now: datetime) -> models.QuerySet:  # type: ignore[type-arg]
    """The rows of a service whose time is over."""
    if model is Grant:
        return _never_claimed(service, now)
    return model._default_manager.filter(service=service, expires_at__lte=now)


def _never_claimed(service: Service, now: datetime) -> models.QuerySet[Grant]:
    """Grants whose authorization never came to a token (draft §5.6.1)."""
    rows = Grant.objects.filter(service=service, pending=True, created_at__lte=now - UNCLAIMED_FOR)
    tokens = {"service": service, "grant": models.OuterRef("pk")}
    return rows.exclude(
        models.Exists(AccessToken.objects.filter(**tokens))
        | models.Exists(RefreshToken.objects.filter(**tokens))
    )


def purge(
    model: type[models.Model], service: Service, now: datetime, batch_size: int
) -> Iterator[int]:
    """The number of rows of each batch that it deletes, until nothing is left.

    The condition is part of the delete: a row whose life was prolonged meanwhile stays.
    """
    rows = expired(model, service, now)
    while keys := list(rows.values_list("pk", flat=True)[:batch_size]):
        yield rows.filter(pk__in=keys).delete()[0]
        if len(keys) < batch_size:
            return
