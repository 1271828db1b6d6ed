"""The purge: deletes what has expired in small batches, at any time.

SQLite keeps no statistics here, and takes any index that begins with the service for the best one,
even beside 500 primary keys: then each batch would read all rows of the service. So a statement
about a batch names the keys, the service so that no index answers it (`at_services`), and what is
judged of its rows is in the list of what it selects. See https://www.sqlite.org/optoverview.html
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import models
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q

from ..db import clock, primary
from ..db.clock import CLOCK_TOLERANCE
from ..db.deleting import delete
from ..db.of_service import at_services
from ..db.retry import retried
from . import daily_total, retention
from .call import Call
from .daily_count import Tally
from .grant import Grant
from .idempotency_key import IdempotencyKey
from .nonce import DPoPNonce
from .purge_run import PurgeRun
from .self_service_token import SelfServiceToken
from .service import Service
from .token import AccessToken, RefreshToken
from .used_proof import UsedProof

# Grants come last: one that still has tokens is not deleted.
EXPIRING: tuple[type[models.Model], ...] = (
    UsedProof,
    DPoPNonce,
    IdempotencyKey,
    SelfServiceToken,
    AccessToken,
    RefreshToken,
    Grant,
)
Rows = models.QuerySet[Any]
UNCLAIMED_FOR: Final = timedelta(days=1)
"""How long a grant may be pending before it is purged. Authorization codes live for minutes."""
DEAD_KEPT_FOR: Final = timedelta(days=30)
"""How long a dead token without an expiry is kept, since its reuse reveals a theft."""


def purge_all(batch_size: int, *, thorough: bool = True) -> Iterator[tuple[str, int]]:
    """Purge all services; yields, outside of any transaction, a model's name and a number of rows.

    Then it records the run (`PurgeRun`) and counts for the overview. Without `thorough` it leaves
    out what reads whole tables: dead tokens without an expiry, and the count of active grants.
    """
    started_at, deleted = clock.now(), 0
    for name, number in _purged(batch_size, thorough=thorough):
        deleted += number
        yield name, number
    PurgeRun.objects.record(started_at, deleted, thorough=thorough)
    tally = Tally.count_events()
    if thorough:
        daily_total.add_up(tally)
        Tally.count_live()


def countable() -> Iterator[tuple[str, Rows]]:
    """What a purge would delete now: names of models and rows. (The calls of a log are trimmed.)"""
    now = clock.now()
    for service in Service.objects.order_by("pk"):
        for model in EXPIRING:
            yield _name(model), expired(model, service, now)
            yield _name(model), dead_for_long(model, service, now)
    before = retention.since(now)
    for rows in retention.events():
        yield _name(rows.model), rows.none() if before is None else rows.filter(at__lt=before)


def expired(model: type[models.Model], service: Service, now: datetime) -> Rows:
    """The rows of a service that expired at least `CLOCK_TOLERANCE` ago, the oldest first.

    Of grants: those that were never claimed, in no order: for an order SQLite would take the index
    of all grants, not that of the pending ones.
    """
    rows = model._default_manager.filter(_has_expired(model, now), service=service)
    return rows if model is Grant else rows.order_by("expires_at")


def dead_for_long(model: type[models.Model], service: Service, now: datetime) -> Rows:
    """Tokens without an expiry that died more than `DEAD_KEPT_FOR` ago; no rows of other models.

    They were revoked themselves, or their grant was revoked or changed.
    """
    rows = model._default_manager.filter(service=service)
    return rows.filter(_is_long_dead(model, now)) if model in _TOKENS else rows.none()


def purge(
    model: type[models.Model], service: Service, batch_size: int, *, thorough: bool = True
) -> Iterator[int]:
    """Delete the rows in batches; yields the number of rows of each batch."""
    for keys in _expired_keys(model, service, batch_size):
        yield _purge_batch(model, service, keys)
    if thorough and model in _TOKENS:
        for keys in _long_dead_keys(model, service, batch_size):
            yield _purge_batch(model, service, keys) if keys else 0


_TOKENS: Final = (AccessToken, RefreshToken)


def _purged(batch_size: int, *, thorough: bool) -> Iterator[tuple[str, int]]:
    for service in Service.objects.order_by("pk"):
        for model in EXPIRING:
            for number in purge(model, service, batch_size, thorough=thorough):
                yield _name(model), number
        yield _name(Call), Call.objects.trim(service.pk, service.call_log_size)
    yield from retention.purged(batch_size)


def _has_expired(model: type[models.Model], now: datetime) -> Q:
    return _was_never_claimed(now) if model is Grant else Q(expires_at__lte=now - CLOCK_TOLERANCE)


def _was_never_claimed(now: datetime) -> Q:
    """A grant is pending for more than `UNCLAIMED_FOR`, without a token (draft §5.6.1)."""
    own = {"service": OuterRef("service"), "grant": OuterRef("pk")}
    held = Exists(AccessToken.objects.filter(**own)) | Exists(RefreshToken.objects.filter(**own))
    return Q(pending=True, created_at__lte=now - UNCLAIMED_FOR) & ~Q(held)


def _is_long_dead(model: type[models.Model], now: datetime) -> Q:
    before = now - DEAD_KEPT_FOR
    name = "access_generation" if model is AccessToken else "refresh_generation"
    changed = Q(grant__revoked_at__lte=before) | Q(grant__last_updated_at__lte=before)
    superseded = changed & ~Q(generation=F(f"grant__{name}"))
    return Q(expires_at=None) & (Q(revoked_at__lte=before) | superseded)


def _expired_keys(model: type[models.Model], service: Service, number: int) -> Iterator[list[Any]]:
    """The keys of expired rows, in batches.

    Each search begins where the one before ended: PostgreSQL keeps entries of deleted rows in the
    index while an old transaction could see them.
    """
    since = Q()
    columns = (_key(model), "pk" if model is Grant else "expires_at")
    while True:
        rows = expired(model, service, clock.now()).filter(since)
        found = list(rows.values_list(*columns)[:number])
        if not found:
            return
        yield [key for key, _at in found]
        if model is not Grant:
            since = Q(expires_at__gte=found[-1][1])


def _long_dead_keys(
    model: type[models.Model], service: Service, number: int
) -> Iterator[list[Any]]:
    """The keys of long dead tokens among the next `number` tokens without an expiry; perhaps none.

    So the cost of a statement is bounded, however many of them are alive.
    """
    rows = model._default_manager.filter(service=service, expires_at=None).order_by("pk")
    since = Q()
    while keys := list(rows.filter(since).values_list("pk", flat=True)[:number]):
        yield _judged(model, service, keys)
        since = Q(pk__gt=keys[-1])


@retried
def _purge_batch(model: type[models.Model], service: Service, keys: list[Any]) -> int:
    """Delete a batch; how many rows this call deleted.

    They are locked, then tested again: a row whose expiry was extended meanwhile stays.
    """
    with primary.atomic():
        held = _of(model, service, keys).order_by("pk").select_for_update()
        list(held.values_list(_key(model), flat=True))
        dead = _judged(model, service, keys)
        return delete(_of(model, service, dead))[0] if dead else 0


def _judged(model: type[models.Model], service: Service, keys: list[Any]) -> list[Any]:
    """Those of the keys whose rows may be deleted now."""
    now = clock.now()
    may_go = _has_expired(model, now)
    if model in _TOKENS:
        may_go |= _is_long_dead(model, now)
    judged = ExpressionWrapper(may_go, output_field=BooleanField())
    rows = _of(model, service, keys).values_list(_key(model), judged)
    return [key for key, dead in rows if dead]


def _of(model: type[models.Model], service: Service, keys: list[Any]) -> Rows:
    """The rows of these keys. A used proof's key has the service in it, and the digest."""
    if model is UsedProof:
        return UsedProof.objects.filter(service=service, digest__in=keys)
    return model._default_manager.filter(at_services([service.pk]), pk__in=keys)


def _key(model: type[models.Model]) -> str:
    return "digest" if model is UsedProof else "pk"


def _name(model: type[models.Model]) -> str:
    return str(model._meta.model_name)
