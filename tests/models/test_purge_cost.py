"""The cost of a purge: per deleted row it is the same, however many rows there are."""

import secrets
from datetime import timedelta

import pytest
from django.db import transaction

from grant_management.models import (
    AccessToken,
    Actor,
    ApiToken,
    DPoPNonce,
    Grant,
    GrantEvent,
    IdempotencyKey,
    RefreshToken,
    UsedProof,
)
from grant_management.models.purge import purge

from ..ours import OURS, connection
from ..world import make_world, now

STEP = 100
"""Instructions of SQLite's virtual machine between two counts."""


@pytest.fixture(autouse=True)
def sqlite(db):
    if connection.vendor != "sqlite":
        pytest.skip("it counts the instructions of SQLite's virtual machine: --db sqlite")


def steps(work):
    """Instructions, in hundreds."""
    counted = []
    connection.connection.set_progress_handler(lambda: counted.append(1), STEP)
    try:
        work()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return len(counted)


def proofs(world, number, past):
    return UsedProof, [
        UsedProof(service=world.service, digest=secrets.token_bytes(32), expires_at=past)
        for _ in range(number)
    ]


def nonces(world, number, past):
    about = {"service": world.service, "duration": 1, "value": "x", "not_before": past}
    return DPoPNonce, [DPoPNonce(window=n, expires_at=past, **about) for n in range(number)]


def keys(world, number, past):
    about = {"service": world.service, "api_token": ApiToken.objects.get(service=world.service)}
    return IdempotencyKey, [
        IdempotencyKey(digest=secrets.token_bytes(32), body_digest=b"x", expires_at=past, **about)
        for _ in range(number)
    ]


def _tokens(model):
    def made(world, number, past, **fields):
        about = {"service": world.service, "client": world.client, "issued_at": past}
        about |= {"expires_at": past} | fields
        return model, [model(digest=secrets.token_bytes(32), **about) for _ in range(number)]

    return made


def dead_tokens(world, number, past):
    """Without an expiry, revoked long ago."""
    long_ago = past - timedelta(days=60)
    return _tokens(RefreshToken)(world, number, past, expires_at=None, revoked_at=long_ago)


def grants(world, number, past):
    """Never claimed; among as many old ones that were, and as many tokens."""
    about = {"service": world.service, "client": world.client}
    about["created_at"] = past - timedelta(days=3)
    Grant.objects.bulk_create(Grant(grant_id=f"live-{n}", **about) for n in range(number))
    held = Grant.objects.first()
    for kind in (AccessToken, RefreshToken):
        model, rows = _tokens(kind)(world, number, past, expires_at=None, grant=held)
        model.objects.bulk_create(rows)
    return Grant, [Grant(grant_id=f"g-{n}", pending=True, **about) for n in range(number)]


def old_events(world, number, past):
    about = {"service_id": world.service.pk}
    at, actor = past - timedelta(days=400), Actor.command("x")
    return GrantEvent, [GrantEvent.about("imported", at, actor, **about) for _ in range(number)]


ALL = [
    proofs,
    nonces,
    keys,
    _tokens(AccessToken),
    _tokens(RefreshToken),
    dead_tokens,
    grants,
    old_events,
]


def cost(fill, number):
    """Hundreds of instructions for each row, when `number` rows are purged."""
    world = make_world(name=f"{fill.__name__}-{number}")
    model, rows = fill(world, number, now() - timedelta(hours=1))
    model.objects.bulk_create(rows)
    batches = []

    def work():
        if model is GrantEvent:
            events = GrantEvent.objects.filter(service=world.service)
            while one := events.purge_oldest(now() - timedelta(days=365), 100):
                batches.append(one)
        else:
            batches.extend(purge(model, world.service, 100))

    with transaction.atomic(using=OURS):
        counted = steps(work)
    assert sum(batches) == number
    return counted / number


@pytest.mark.parametrize("fill", ALL, ids=lambda fill: fill.__qualname__)
def test_eight_times_the_rows_cost_the_same_each(fill):
    few, many = cost(fill, 1_000), cost(fill, 8_000)
    assert many < 1.5 * few + 0.2


def test_tokens_that_are_alive_are_read_once(world):
    """Those without an expiry, among the dead ones: in windows, so that no statement is long."""
    _, dead = dead_tokens(world, 500, now())
    _, alive = _tokens(RefreshToken)(world, 5_000, now(), expires_at=None)
    RefreshToken.objects.bulk_create([*alive, *dead])
    longest = []

    def work():
        batches = purge(RefreshToken, world.service, 100)
        while True:
            found = []
            longest.append(steps(lambda: found.extend([next(batches, None)])))
            if found == [None]:
                return

    work()
    assert RefreshToken.objects.count() == 5_000
    assert len(longest) >= 55
    assert max(longest) < 20 * 100
