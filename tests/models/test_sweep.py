"""Many grants at once."""

import io
import json
from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from grant_management.models import Actor, Grant, GrantEvent, Reason, Sweep, SweepStatus
from grant_management.models.grant_filter import EmptyFilter, GrantFilter
from grant_management.models.sweep import LEASE
from grant_management.signals import grant_revoked, tokens_dying

from ..ours import connection
from ..world import BY_TEST, later, make_world, now


def run(world, *arguments):
    out = io.StringIO()
    call_command(
        "revoke_grants",
        "--service",
        str(world.service.pk),
        "--json",
        *map(str, arguments),
        stdout=out,
    )
    answer = json.loads(out.getvalue())
    answer.pop("sweep", None)
    return answer


@pytest.fixture
def crowd(world):
    """Grants that each filter tells apart."""
    other = world.client_named("app-2")
    made = {
        "plain": world.grant(),
        "other client": world.grant(client=other),
        "other subject": world.grant(subject="user-2"),
        "scope": world.grant(scopes='[{"scope":"pay read","resource":["https://a"]}]'),
        "scope alike": world.grant(scopes='[{"scope":"payments"}]'),
        "type": world.grant(authorization_details='[{"type":"payment"}]'),
        "type alike": world.grant(authorization_details='[{"type":"x","about":"payment"}]'),
        "old": world.grant(created_at=now() - timedelta(days=9)),
        "dead": world.grant(revoked_at=now()),
    }
    make_world(world.service.organization).grant()
    return made


def dead(crowd):
    gone = set(Grant.objects.exclude(revoked_at=None).values_list("pk", flat=True))
    return {name for name, grant in crowd.items() if grant.pk in gone} - {"dead"}


def test_whose_they_are(crowd, world):
    """The same by SQL and, where JSON texts are to be read, by Python."""
    by_sql = GrantFilter(world.service, created_before=now())
    found = Counter(grant.client.client_id for grant in by_sql.found())
    assert by_sql.by_client(5) == found.most_common()
    assert by_sql.by_client(1) == found.most_common(1)
    assert GrantFilter(world.service, scope="payments").by_client(5) == [("app-1", 1)]
    assert GrantFilter(world.service, subject="nobody").by_client(5) == []


FILTERS = {
    ("--client", "app-2"): {"other client"},
    ("--subject", "user-2"): {"other subject"},
    ("--scope", "pay"): {"scope"},
    ("--authorization-type", "payment"): {"type"},
    ("--subject", "user-1", "--created-before", "YESTERDAY"): {"old"},
    ("--client", "app-1", "--scope", "openid", "--subject", "user-2"): {"other subject"},
}


@pytest.mark.parametrize(("arguments", "expected"), FILTERS.items(), ids=str)
def test_filters(world, crowd, arguments, expected):
    yesterday = (now() - timedelta(days=1)).isoformat()
    arguments = [yesterday if one == "YESTERDAY" else one for one in arguments]
    dry = run(world, *arguments, "--dry-run")
    assert (dry["count"], dry["more"]) == (len(expected), False)
    assert set(dry["sample"]) == {crowd[name].grant_id for name in expected}
    assert dead(crowd) == set()
    assert run(world, *arguments, "--reason", "suspected fraud", "--ticket", "T-1") == {
        "revoked": len(expected)
    }
    assert dead(crowd) == expected
    for name in expected:
        event = GrantEvent.objects.get(grant_id=crowd[name].grant_id)
        assert (event.kind, event.actor, event.reason, event.ticket) == (
            "revoked",
            "revoke_grants",
            "suspected fraud",
            "T-1",
        )
    assert run(world, *arguments) == {"revoked": 0}


def test_an_empty_filter_never_means_everything(world, crowd):
    with pytest.raises(CommandError, match="Say which grants"):
        run(world)
    with pytest.raises(EmptyFilter):
        GrantFilter(world.service)
    assert dead(crowd) == set()


@pytest.mark.parametrize("of_client", [True, False])
def test_a_moment_alone_is_a_cut_off(world, crowd, of_client, call):
    """In force with one write, tokens that hang on no grant included; the stamps come behind."""
    moment = now() - timedelta(minutes=1)
    loose, fresh = world.token(), world.token(issued_at=now())
    client = ("--client", "app-1") if of_client else ()
    answer = run(world, *client, "--created-before", moment.isoformat())
    target = world.client if of_client else world.service
    target.refresh_from_db()
    assert target.not_before == moment
    assert answer["revoked"] == 8 - of_client
    assert Grant.objects.get(pk=crowd["plain"].pk).revoked_at == moment
    later = world.grant(created_at=now())
    assert call(gmAction="QUERY", grantId=later.grant_id, accessToken=loose).code == "A280302"
    assert call(gmAction="QUERY", grantId=later.grant_id, accessToken=fresh).action == "OK"
    event = GrantEvent.objects.get(kind="cut_off")
    assert event.details["stops"] == {
        "grants": {"number": 8 - of_client, "exact": True},
        "access_tokens": {"number": 1, "exact": True},
        "refresh_tokens": {"number": 0, "exact": True},
    }


def test_batches_can_be_interrupted(world, monkeypatch):
    for _ in range(7):
        world.grant(subject="many")
    original = type(Grant.objects).revoke_all
    calls = []

    def interrupted(self, *args, **kwargs):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(1)
        return original(self, *args, **kwargs)

    with monkeypatch.context() as broken:
        broken.setattr(type(Grant.objects), "revoke_all", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(world, "--subject", "many", "--batch-size", 2)
    assert Grant.objects.exclude(revoked_at=None).count() == revocations() == 4
    assert run(world, "--subject", "many", "--batch-size", 2) == {"revoked": 3}
    assert revocations() == 7


def revocations():
    return GrantEvent.objects.filter(kind="revoked").count()


def test_tokens_die_as_with_one(world, call):
    world.service.revoke_access_tokens = False
    world.service.save()
    grants = [world.grant(), world.grant()]
    assert (
        Grant.objects.revoke_all(
            world.service, [grant.pk for grant in grants], now(), Actor.command("x"), Reason("")
        )
        == 2
    )
    for grant in Grant.objects.all():
        assert (grant.access_generation, grant.refresh_generation) == (0, 1)


def test_signals(world, django_capture_on_commit_callbacks):
    """Once for a batch after commit; for each grant in the transaction."""
    heard, dying = [], []

    def hear(grants, events, **kwargs):
        heard.append((len(grants), len(events)))

    def die(grant, **kwargs):
        dying.append(grant.pk)

    grant_revoked.connect(hear)
    tokens_dying.connect(die)
    try:
        keys = [world.grant().pk for _ in range(3)]
        with django_capture_on_commit_callbacks(execute=True):
            Grant.objects.revoke_all(world.service, keys, now(), Actor.command("x"), Reason(""))
    finally:
        grant_revoked.disconnect(hear)
        tokens_dying.disconnect(die)
    assert heard == [(3, 3)]
    assert set(dying) == set(keys)


def test_statements_for_a_batch_do_not_grow(world, django_assert_num_queries):
    for number in (1, 50):
        keys = [world.grant().pk for _ in range(number)]
        clock = connection.vendor == "postgresql"  # SQLite has none to ask
        # One of them asks whether the service's events are told, under a lock of its own.
        with django_assert_num_queries(6 + clock):
            Grant.objects.revoke_all(world.service, keys, now(), Actor.command("x"), Reason(""))


def test_bad_moment(world):
    with pytest.raises(CommandError, match="--created-before"):
        run(world, "--created-before", "yesterday")


def start(world, **fields):
    wanted = GrantFilter(world.service, **fields)
    return Sweep.objects.start(wanted, Actor.operator("ann"), Reason("other", "n", "T-1"))


@pytest.mark.parametrize("name", ["subject", "scope", "authorization_type"])
def test_an_empty_name_widens_nothing(world, name):
    """A sweep keeps "" for none: a filter for "" must not become one without it."""
    with pytest.raises(EmptyFilter):
        GrantFilter(world.service, client=world.client, **{name: ""})


def test_pause_and_resume(world):
    """The batch in hand when it is paused is not done; nothing is done twice."""
    for _ in range(6):
        world.grant()
    sweep = start(world, client=world.client)
    assert sweep.status(now()) == SweepStatus.STOPPED
    assert sweep.claim()
    assert not Sweep.objects.get().claim()
    work = sweep.work(2)
    next(work)
    assert Sweep.objects.get().status(now()) == SweepStatus.RUNNING
    assert sweep.pause(BY_TEST)
    assert not sweep.pause(BY_TEST)
    assert list(work) == []
    sweep = Sweep.objects.get()
    assert sweep.status(now()) == SweepStatus.PAUSED
    assert (sweep.revoked, GrantEvent.objects.count()) == (2, 4)
    assert not sweep.claim()
    assert sweep.resume(BY_TEST)
    assert not sweep.resume(BY_TEST)
    assert sweep.claim()
    assert list(sweep.work(2)) == [2, 2]
    sweep = Sweep.objects.get()
    assert sweep.status(now()) == SweepStatus.DONE
    assert (sweep.revoked, sweep.events().count()) == (6, 6)
    assert not sweep.resume(BY_TEST)
    assert not sweep.claim()


def test_a_sweep_whose_worker_is_gone_can_be_taken_up(world):
    sweep = start(world, client=world.client)
    assert sweep.claim()
    gone = LEASE + timedelta(seconds=1)
    assert Sweep.objects.get().status(now() + gone) == SweepStatus.STOPPED
    assert later(Sweep.objects.get().claim, gone)


def test_what_comes_after_the_start_is_left_alone(world):
    before = world.grant()
    sweep = start(world, subject="user-1")
    after = world.grant(created_at=now() + timedelta(seconds=1))
    assert list(sweep.work(10)) == [1]
    before.refresh_from_db()
    after.refresh_from_db()
    assert before.revoked_at >= sweep.started_at
    assert after.revoked_at is None


def test_a_cut_off_is_in_force_before_the_sweep(world, call):
    token = world.token(world.grant())
    moment = now() - timedelta(seconds=1)
    sweep = start(world, client=world.client, created_before=moment)
    assert call(gmAction="QUERY", grantId="x", accessToken=token).code == "A280302"
    assert list(sweep.work(10)) == [1]
    event = sweep.events().get()
    assert event.at >= sweep.started_at
    assert Grant.objects.get().revoked_at == moment


def test_resume_by_command(world):
    world.grant()
    sweep = start(world, subject="user-1")
    out = io.StringIO()
    call_command("revoke_grants", "--resume", str(sweep.pk), "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"revoked": 1, "sweep": str(sweep.pk)}
    with pytest.raises(CommandError, match="It is done"):
        call_command("revoke_grants", "--resume", str(sweep.pk))
    with pytest.raises(CommandError, match="There is no"):
        call_command("revoke_grants", "--resume", str(world.grant().pk))


def test_more_rows_than_a_chunk(world, monkeypatch):
    monkeypatch.setattr("grant_management.models.grant_filter.CHUNK", 3)
    for _ in range(8):
        world.grant()
    wanted = GrantFilter(world.service, scope="openid")
    assert wanted.count() == 8
    assert len({grant.pk for grant in wanted.found()}) == 8


def test_what_grants_hold_is_not_loaded(world, django_assert_num_queries):
    """Where nothing asks for it: 300 grants can hold 80 MB."""
    world.grant(scopes='[{"scope":"openid"}]', claims='["email"]')
    for filters, loaded in (({"subject": "user-1"}, set()), ({"scope": "openid"}, {"scopes"})):
        grant = next(GrantFilter(world.service, **filters).found())
        assert grant.__dict__.keys() & {"scopes", "claims", "authorization_details"} == loaded
    sweep = start(world, scope="openid")
    heard = []
    grant_revoked.connect(hear := lambda grants, **kwargs: heard.extend(grants))
    try:
        assert list(sweep.work(10)) == [1]
    finally:
        grant_revoked.disconnect(hear)
    assert all("scopes" not in grant.__dict__ for grant in heard)


def test_a_grant_that_was_replaced_meanwhile_is_left_alone(world, monkeypatch):
    """A sweep by scope judges again under the lock."""
    grant = world.grant(scopes='[{"scope":"pay"}]')
    sweep = start(world, scope="pay")
    found = list(sweep.wanted().found())
    Grant.objects.filter(pk=grant.pk).update(scopes='[{"scope":"openid"}]')
    number = sweep._revoke(sweep.wanted(), [one.pk for one in found])
    assert number == 0
    grant.refresh_from_db()
    assert grant.revoked_at is None
