"""The purge: deletes what has expired in small batches, at any time."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import models
from django.db.models import F, Q

from ..db import clock, primary
from ..db.clock import CLOCK_TOLERANCE
from ..db.retry import retried
from .grant import Grant
from .idempotency_key import IdempotencyKey
from .nonce import DPoPNonce
from .service import Service
from .token import AccessToken, RefreshToken
from .used_proof import UsedProof

# Grants come last: one that still has tokens is not deleted.
EXPIRING: tuple[type[models.Model], ...] = (
    UsedProof,
    DPoPNonce,
    IdempotencyKey,
    AccessToken,
    RefreshToken,
    Grant,
)
Rows = models.QuerySet[Any]
UNCLAIMED_FOR: Final = timedelta(days=1)
"""How long a grant may be pending before it is purged. Authorization codes live for minutes."""
DEAD_KEPT_FOR: Final = timedelta(days=30)
"""How long a dead token without an expiry is kept, since its reuse reveals a theft."""


def expired(model: type[models.Model], service: Service, now: datetime) -> Rows:
    """The rows of a service that expired at least `CLOCK_TOLERANCE` ago.

    Of grants: those that were never claimed.
    """
    if model is Grant:
        return _never_claimed(service, now)
    over = now - CLOCK_TOLERANCE
    return model._default_manager.filter(service=service, expires_at__lte=over)


def dead_for_long(model: type[models.Model], service: Service, now: datetime) -> Rows:
    """Tokens without an expiry that died more than `DEAD_KEPT_FOR` ago; no rows of other models.

    They were revoked themselves, or their grant was revoked or changed.
    """
    rows = model._default_manager.filter(service=service)
    if model not in (AccessToken, RefreshToken):
        return rows.none()
    before = now - DEAD_KEPT_FOR
    name = "access_generation" if model is AccessToken else "refresh_generation"
    changed = Q(grant__revoked_at__lte=before) | Q(grant__last_updated_at__lte=before)
    superseded = changed & ~Q(generation=F(f"grant__{name}"))
    rows = rows.filter(Q(revoked_at__lte=before) | superseded, expires_at=None)
    return rows.order_by("pk")


def _never_claimed(service: Service, now: datetime) -> Rows:
    """Grants that are pending for more than `UNCLAIMED_FOR`, without a token (draft §5.6.1)."""
    rows = Grant.objects.filter(service=service, pending=True, created_at__lte=now - UNCLAIMED_FOR)
    tokens = {"service": service, "grant": models.OuterRef("pk")}
    return rows.exclude(
        models.Exists(AccessToken.objects.filter(**tokens))
        | models.Exists(RefreshToken.objects.filter(**tokens))
    )


def purge(model: type[models.Model], service: Service, batch_size: int) -> Iterator[int]:
    """Delete the rows in batches; yields the number of rows of each batch."""
    for find in (expired, dead_for_long):
        after: Any = None
        while keys := _next(find(model, service, clock.now()), after, batch_size):
            yield _purge_batch(find, model, service, keys)
            # Dead tokens are found by reading keys, so do not begin with the first key each time.
            after = keys[-1] if find is dead_for_long else None


def _next(rows: Rows, after: Any, number: int) -> list[Any]:
    """The keys of the next rows, after the key `after` unless it is None."""
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.values_list("pk", flat=True)[:number])


@retried
def _purge_batch(
    find: Callable[..., Rows], model: type[models.Model], service: Service, keys: list[Any]
) -> int:
    """Delete a batch; how many rows this call deleted.

    They are locked, then tested again: a row whose expiry was extended meanwhile stays.
    """
    rows = model._default_manager.filter(service=service, pk__in=keys)
    with primary.atomic():
        list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))
        dead = find(model, service, clock.now()).filter(pk__in=keys)
        return rows.filter(pk__in=list(dead.values_list("pk", flat=True))).delete()[0]
