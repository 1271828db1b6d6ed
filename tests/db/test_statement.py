"""The hot path's statements: the same rows as the ORM's, on a connection that may have been lost."""

import gc
import weakref
from contextlib import nullcontext

import pytest
from django.db import DatabaseError, transaction
from django.db.models.signals import post_init
from django.forms.models import model_to_dict

from grant_management.api.authentication import authenticate
from grant_management.db import primary
from grant_management.db.joined import JoinedQuery, Part
from grant_management.db.retry import RETRIES, retried
from grant_management.db.statement import Statement
from grant_management.models import AccessToken, ApiToken, Grant, Service, UsedProof

from ..ours import OURS, connection
from ..world import make_world, now


def read(row):
    """All fields of a row, those that were deferred included."""
    names = [field.attname for field in row._meta.concrete_fields]
    values = {name: getattr(row, name) for name in names}
    return {
        name: bytes(value) if isinstance(value, memoryview) else value
        for name, value in values.items()
    }


def test_the_rows_of_the_orm(world):
    grant = world.grant(expires_at=now(), authorization_details='[{"type":"x"}]')
    world.token(grant, value="t", jkt="k")
    found = AccessToken.objects.presented(world.service, "t")
    assert read(found) == read(AccessToken.objects.get())
    assert read(found.grant) == read(Grant.objects.get())
    assert read(found.client) == read(world.client)
    caller, asked, token, _at = authenticate(f"Bearer {world.api_token}", world.service.pk, "t")
    assert read(caller) == read(ApiToken.objects.get())
    world.service.refresh_from_db()
    assert read(asked) == read(world.service)
    assert model_to_dict(asked) == model_to_dict(world.service)
    assert read(token) == read(found)
    for row in (found, found.grant, found.client, caller, asked, token, token.grant):
        assert not row._state.adding
        assert row._state.db == OURS


def test_no_statement_is_needed_for_what_was_joined(world, django_assert_num_queries):
    world.token(world.grant(), value="t")
    with django_assert_num_queries(1):
        token = AccessToken.objects.presented(world.service, "t")
        assert token.grant.client is token.client
        assert token.client.service is token.service is token.grant.service is world.service
        token.status(now())


def test_an_outer_join_that_finds_nothing(world):
    world.token(value="t")
    assert AccessToken.objects.presented(world.service, "t").grant is None
    assert authenticate(f"Bearer {world.api_token}", 1).opened() is None


def test_receivers_of_the_making_of_models_are_told(world):
    made = []

    def hear(sender, instance, **kwargs):
        made.append(sender)

    post_init.connect(hear)
    try:
        world.token(world.grant(), value="t")
        made.clear()
        AccessToken.objects.presented(world.service, "t")
    finally:
        post_init.disconnect(hear)
    assert AccessToken in made
    assert Grant in made


def test_a_plan_keeps_no_connection():
    """The thread that made it may end, and its connection with it."""
    made_for = connection.copy()
    kept = weakref.ref(made_for)
    query = JoinedQuery("FROM grant_management_service AS asked", Part(Service, "asked"))
    plan = query._compile(made_for)
    del made_for
    gc.collect()
    assert plan
    assert kept() is None


def test_placeholders():
    statement = Statement("SELECT %s, '100%%', %s")
    assert statement.qmark == "SELECT ?, '100%', ?"
    assert statement.numbered == b"SELECT $1, '100%', $2"


@pytest.mark.django_db(transaction=True)
class TestALostConnection:
    @pytest.fixture
    def lost(self):
        if connection.vendor != "postgresql":
            pytest.skip("a file is not lost: --db postgresql")
        world = make_world()
        world.token(world.grant(), value="t")
        AccessToken.objects.presented(world.service, "t")
        connection.connection.close()
        return world

    def test_a_read_is_done_again(self, lost):
        assert AccessToken.objects.presented(lost.service, "t").grant is not None

    def test_a_write_is_not(self, lost):
        burn = {"jkt": "k", "jti": "j", "expires_at": now()}
        with pytest.raises(Exception, match=r"closed|ended during a commit"):
            UsedProof.objects.burn(lost.service, **burn)
        connection.close()
        assert not UsedProof.objects.exists()

    def test_nor_a_read_in_a_transaction(self):
        world = make_world()
        world.token(world.grant(), value="t")
        if connection.vendor != "postgresql":
            pytest.skip("a connection that is killed: --db postgresql")
        with pytest.raises(Exception, match=r"lost|closed"), transaction.atomic(using=OURS):  # noqa: PT012
            AccessToken.objects.presented(world.service, "t")
            connection.connection.close()
            AccessToken.objects.presented(world.service, "t")


@pytest.fixture
def prepared(transactional_db):
    """A token "t" in a database that prepares statements."""
    if connection.vendor != "postgresql":
        pytest.skip("prepared statements: --db postgresql")
    world = make_world()
    world.token(world.grant(), value="t")
    return world


def test_prepared_statements_that_are_gone_are_made_again(prepared):
    """A pooler may lead to a session that has none of them: the first call there is sent whole."""
    for _ in range(2):
        AccessToken.objects.presented(prepared.service, "t")
        AccessToken.objects.presented(prepared.service, "t")
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM pg_prepared_statements WHERE NOT from_sql")
            assert [name for (name,) in cursor if name.startswith("gm_")]
            cursor.execute("DEALLOCATE ALL")


def test_without_prepared_statements(prepared):
    """`prepare_threshold` None, for a pooler that cannot have them."""
    connection.ensure_connection()
    threshold = connection.connection.prepare_threshold
    connection.connection.prepare_threshold = None
    try:
        assert AccessToken.objects.presented(prepared.service, "t").grant is not None
        burn = {"jkt": "k", "jti": "j", "expires_at": now()}
        assert UsedProof.objects.burn(prepared.service, **burn)
        assert not UsedProof.objects.burn(prepared.service, **burn)
    finally:
        connection.connection.prepare_threshold = threshold


def test_a_connection_that_is_closed_is_forgotten(prepared):
    """With all that was prepared on it: a server opens one after the other."""
    connection.close()  # the next one is this test's alone
    AccessToken.objects.presented(prepared.service, "t")
    driver = weakref.ref(connection.connection)
    connection.close()
    gc.collect()
    assert driver() is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", [True, False])
def test_a_statement_belongs_to_its_transaction(first):
    """Also where it is the first of it: psycopg sends its BEGIN late."""
    world = make_world()
    burn = {"jkt": "k", "jti": "j", "expires_at": now()}
    with primary.atomic():
        if not first:
            Service.objects.get()
        assert UsedProof.objects.burn(world.service, **burn)
        transaction.set_rollback(True, using=primary.alias())
    assert not UsedProof.objects.exists()
    assert UsedProof.objects.burn(world.service, **burn)


@pytest.mark.django_db(transaction=True)
def test_a_conflict_is_tried_again(monkeypatch):
    """From the start, at most three times; never inside a transaction of somebody else."""
    tries = []

    @retried
    def operation():
        tries.append(1)
        with primary.atomic():
            if len(tries) <= failures:
                raise DatabaseError("40001") from Conflict()
        return "done"

    class Conflict(Exception):
        sqlstate = "40001"

    failures = RETRIES
    assert operation() == "done"
    assert len(tries) == RETRIES + 1
    failures = RETRIES + 1
    for outer, number in ((nullcontext, RETRIES + 1), (primary.atomic, 1)):
        tries.clear()
        with pytest.raises(DatabaseError), outer():
            operation()
        assert len(tries) == number
