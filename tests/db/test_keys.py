"""On PostgreSQL the keys of the tables of services begin with the service."""

import subprocess
import sys

import pytest
from django.db import IntegrityError, transaction

from grant_management.migrations import _catalogue
from grant_management.models import placement

from ..gm_project.test_processes import postgresql  # noqa: F401 - a fixture
from ..ours import OURS, connection
from ..standalone import ROOT, environment, manage

SHARED = "Tables of other apps refer to it by its key alone."
UNIQUE_ALONE = {"gm_client_alone": SHARED, "gm_grant_alone": SHARED}
"""Unique indexes that do not begin with the service, and why."""
UNIQUE = """
SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid, 1, false)
FROM pg_index WHERE indisunique
"""
FOREIGN = f"""
SELECT conrelid::regclass::text, {_catalogue._NAMES}, confrelid::regclass::text
FROM pg_constraint WHERE contype = 'f'
"""
VALID = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated"


@pytest.fixture(autouse=True)
def on_postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: --db postgresql")


def rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def tables():
    return {model._meta.db_table for model in placement.of_service()}


def test_unique_keys():
    """Primary keys are among them. Each exception is one."""
    found = [row for row in rows(UNIQUE) if row[0] in tables()]
    assert {table for table, *_ in found} == tables()
    alone = [index for _table, index, first in found if first != "service_id"]
    assert sorted(alone) == sorted(UNIQUE_ALONE)


def test_foreign_keys():
    """Those between two tables of services; what each node has whole is found without."""
    found = [row for row in rows(FOREIGN) if {row[0], row[2]} <= tables()]
    assert len(found) == 8
    assert [row for row in found if row[1][0] != "service_id"] == []
    assert rows(VALID) == [(0,)]


def test_each_model_has_its_place():
    """A table whose rows have a service is of a service, whole at each node, or of a queue."""
    named = {*placement.EVERYWHERE, *placement.QUEUES}
    assert {name for name in named if placement.is_of_service(model_of(name))} == set()
    order = list(placement.of_service())
    for model in order:
        for field in model._meta.concrete_fields:
            if field.is_relation and field.related_model in order:
                assert order.index(field.related_model) < order.index(model)


def model_of(name):
    from django.apps import apps

    return apps.get_model("grant_management", name)


def test_numbers():
    """No identity columns: Citus distributes sequences."""
    sql = "SELECT attrelid::regclass::text FROM pg_attribute WHERE attidentity <> ''"
    assert {table for (table,) in rows(sql)} & tables() == set()


def test_a_reference_across_services_is_refused(world):
    """By the database itself: a grant of one service and a client of another one."""
    other = type(world.service).objects.create(organization=world.service.organization, name="o")
    grant = world.grant()

    def move():
        with transaction.atomic(using=OURS), connection.cursor() as cursor:
            type(grant).objects.filter(pk=grant.pk).update(service=other)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError):
        move()


def test_interrupted_at_any_statement(postgresql):  # noqa: F811 - it is that fixture
    """There and back: run again, each ends as one that nothing interrupted."""
    env = environment(DATABASE_URL=postgresql.get_uri(), DATABASE_FOR="commands")
    manage("migrate", "-v", "0", DATABASE_URL=postgresql.get_uri())
    line = [sys.executable, "-m", "tests.db.interrupting"]
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    there, back = map(int, done.stdout.split())
    assert there > 20
    assert back > 20


@pytest.mark.django_db(transaction=True)
def test_a_busy_table_is_tried_again(world, monkeypatch):
    """Somebody writes grants in a long transaction: a change gives up, and writers go on."""
    writer = connection.copy()
    with writer.cursor() as cursor:
        cursor.execute("BEGIN; UPDATE grant_management_client SET name = 'x'")
    pauses = []

    def pause(seconds):
        """Whoever waited behind the change goes on; the third time the long one ends."""
        type(world.client).objects.filter(pk=world.client.pk).count()
        pauses.append(seconds)
        if len(pauses) == 3:
            writer.connection.rollback()  # waits for its end: no lock is left

    monkeypatch.setattr(_catalogue.time, "sleep", pause)
    monkeypatch.setattr(_catalogue, "LOCK_TIMEOUT", 10)
    _catalogue.Catalogue(connection).briefly(
        ["LOCK TABLE grant_management_client IN ACCESS EXCLUSIVE MODE"]
    )
    writer.close()
    assert len(pauses) == 3
