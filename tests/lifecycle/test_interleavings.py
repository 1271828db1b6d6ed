"""Two operations on one grant, interleaved at every statement, on PostgreSQL: what comes of it is
what comes of one after the other.

A pair takes as many runs as both have statements, each on a new tenant. Every pair of the chosen
operations is tried; with `--interleavings all` every pair of all of them, with `few` a third.
"""

import itertools

import pytest

from grant_management.lifecycle import issuing
from grant_management.models import TokenStatus
from grant_management.models import grant as grant_module
from grant_management.models import locks as held_module

from ..ours import connection
from ..world import now
from . import operations as o
from .operations import OPERATIONS, READERS, Said, Scene, state
from .turns import Turns

CHOSEN = {
    *(o.issue, o.rotate, o.reuse, o.merge, o.replace, o.gm_revoke, o.admin_revoke, o.sweep),
    *(o.tokens_of_client, o.token_by_value, o.purge_all, o.cut_off_service, o.lock, o.redeem),
    *(o.import_active, o.introspect, o.query),
}
"""One of each kind."""


@pytest.fixture
def turns(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("interleavings need a database with many writers: --db postgresql")
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    with Turns() as made:
        yield made
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")


def pytest_generate_tests(metafunc):
    """A test for each kind of scene and first operation; it goes through the second ones."""
    if "operation" in metafunc.fixturenames:
        which = metafunc.config.getoption("--interleavings")
        step = 3 if which == "few" else 1
        groups = [
            pytest.param(kind, one, seconds, id=f"{kind}-{one.__name__}")
            for kind, several in OPERATIONS.items()
            for one, seconds in _groups([x for x in several if which == "all" or x in CHOSEN], step)
        ]
        metafunc.parametrize(("kind", "operation", "others"), groups)


def _groups(several, step):
    return [(one, several[number::step]) for number, one in enumerate(several)]


def test_outcome_is_of_one_after_the_other(turns, kind, operation, others):
    for other in others:
        assert not differences(turns, kind, operation, other)


def differences(turns, kind, one, other):
    """Of each run whose outcome is that of neither order: where it stopped, and what differs."""
    serial = [run(turns, kind, one, other)[0], run(turns, kind, other, one, turned=True)[0]]
    found = []
    orders = [(one, other, False)] + ([] if one is other else [(other, one, True)])
    for first, second, turned in orders:
        # Stopped before its first statement, it has done nothing: that is the other order.
        for number in itertools.count(2):
            outcome, stopped = run(turns, kind, first, second, number, turned=turned)
            if not any(is_same(outcome, expected) for expected in serial):
                before = turns.one.sent[number - 1] if stopped else "nothing: it ended"
                where = f"{first.__name__} stopped before {number}: {before}"
                found.append((kind, second.__name__, where, told(outcome, serial)))
            if not stopped:
                break
    return found


def run(turns, kind, first, second, stop_before=0, *, turned=False):
    """The outcome; and whether `first` stopped there. Tokens are named by who made them."""
    scene = Scene(kind)
    results, stopped = turns.interleave(lambda: first(scene), lambda: second(scene), stop_before)
    both = [(first, results[0]), (second, results[1])]
    said = [(operation, as_said(result)) for operation, result in (both[::-1] if turned else both)]
    made = {
        value: f"the {'first' if number == 0 else 'second'}'s {name}"
        for number, (_operation, one) in enumerate(said)
        for name, value in one.made.items()
    }
    results = [(operation, one.members) for operation, one in said]
    return {"results": results, **state(scene, made)}, stopped


def as_said(result):
    """What it said; or the error that it broke with."""
    return result if isinstance(result, Said) else Said(result)


def is_same(outcome, expected):
    """A reader may tell of one thing before and of another after: each was so when it was asked."""
    rest = outcome.keys() - {"results"}
    return all(outcome[name] == expected[name] for name in rest) and all(
        operation in READERS or result == other
        for (operation, result), (_same, other) in zip(
            outcome["results"], expected["results"], strict=True
        )
    )


def told(outcome, serial):
    """What differs, beside what it should be."""
    return [
        f"{name}: {outcome[name]} is neither {serial[0][name]} nor {serial[1][name]}"
        for name in outcome
        if any(outcome[name] != expected[name] for expected in serial)
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [(o.rotate, o.rotate), (o.merge, o.merge), (o.merge, o.replace), (o.replace, o.gm_revoke)],
)
def test_a_missing_lock_is_found(turns, monkeypatch, one, other):
    """The grant is read where it should be held."""
    query = grant_module._locked()
    monkeypatch.setattr(query, "_lock", "")
    monkeypatch.setattr(query, "_plans", {})
    assert differences(turns, "active", one, other)


def test_a_judgement_before_the_lock_is_found(turns, monkeypatch):
    """A refresh beside a replace: the token is held, but judged as it was before that."""

    def hold(token):
        was_alive = token.status(now()) is TokenStatus.ACTIVE
        held = held_module.hold_token(token)
        if was_alive:
            held.token.generation = held.token.grant.refresh_generation
        return held

    monkeypatch.setattr(issuing, "hold_token", hold)
    assert differences(turns, "active", o.rotate, o.replace)
