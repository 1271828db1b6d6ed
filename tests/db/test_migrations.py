"""Migrations of a database with many rows: on PostgreSQL no writer waits while an index is made."""

import json
import re
import subprocess
import sys
from itertools import pairwise

from ..each_migration import LAST, earlier, schema
from ..gm_project.test_migrate import database_url  # noqa: F401 - a fixture
from ..gm_project.test_processes import postgresql  # noqa: F401 - a fixture
from ..ours import connection
from ..postgresql import run
from ..standalone import ROOT, environment

UPGRADE = """
import json
import django
django.setup()
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from tests.each_migration import migrate_to
if not connection.introspection.table_names():  # by itself, without what follows a migration
    migrate_to(connection, "0001_initial")
statements = []
def note(execute, sql, params, many, context):
    statements.append(str(sql))
    return execute(sql, params, many, context)
with connection.execute_wrapper(note):
    call_command("migrate", verbosity=0)
models = apps.get_app_config("grant_management").get_models()
names = [index.name for model in models for index in model._meta.indexes]
print(json.dumps({"statements": statements, "names": names}))
"""
MADE = """
SELECT relname, pg_index.indexrelid, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
"""
INDEX = re.compile(r'CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)\S+ ON "(\w+)"')
CONSTRAINT = re.compile(
    r'ALTER TABLE "(\w+)".* ADD CONSTRAINT \S+ (?:UNIQUE|PRIMARY KEY|EXCLUDE) ?\('
)
FOREIGN_KEY = re.compile(r'ALTER TABLE "?(\w+)"? ADD CONSTRAINT \S+ FOREIGN KEY')
KNOWN = {
    "gm_call_anonymous": "of 0003, which is released; calls are kept for some days",
    "gm_member_of_all": "of 0003; there are few operators",
}
"""Indexes that were made while writers waited, and why that stays."""
FEW = {"grant_management_organizationmember"}
"""Tables whose rows are read at once: there are few operators."""
CREATED = re.compile(r'CREATE TABLE "(\w+)"')


def upgrade(url):
    """Migrate to the end: the statements, and the names of the models' indexes."""
    settings = {"DJANGO_SETTINGS_MODULE": "gm_project.settings", "DATABASE_FOR": "commands"}
    env = environment(DATABASE_URL=url, **settings)
    line = [sys.executable, "-c", UPGRADE]
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return found["statements"], found["names"]


def migrations_of(statements):
    """The statements of each migration: each ends with a row that says it was done."""
    found = [[]]
    for one in statements:
        found[-1].append(one)
        if one.startswith('INSERT INTO "django_migrations"'):
            found.append([])
    return found


def blocking(statements):
    """The statements about indexes for which a writer of a table waits that may have rows."""
    found = []
    for own in migrations_of(statements):
        new = {name for one in own for name in CREATED.findall(one)}
        for one in own:
            if any(f'"{name}"' in one for name in KNOWN):
                continue
            tables = {*INDEX.findall(one), *CONSTRAINT.findall(one)}
            if tables - new or (one.startswith("DROP INDEX") and "CONCURRENTLY" not in one):
                found.append(one)
    return found


def checked_at_once(statements):
    """The foreign keys for which the rows of a table that may have some are read while writers
    wait.
    """
    found = []
    for own in migrations_of(statements):
        new = {name for one in own for name in CREATED.findall(one)}
        for one in own:
            if {*FOREIGN_KEY.findall(one)} - new - FEW and "NOT VALID" not in one:
                found.append(one)
    return found


def locked_in_the_other_order(statements):
    """The changes of foreign keys that take the table that refers before the one it refers to: a
    writer takes them in the order of its own changes, and each would wait for the other.
    """
    late = [(before, one) for before, one in pairwise(statements) if "NOT VALID" in one]
    assert len(late) >= 8
    return [one for before, one in late if not before.startswith("LOCK TABLE")]


def test_from_the_first_migration(postgresql):  # noqa: F811 - it is that fixture
    """Each index of the models is there and valid in the end, and no other of ours."""
    statements, names = upgrade(postgresql.get_uri())
    assert len(migrations_of(statements)) > 10
    assert blocking(statements) == []
    assert checked_at_once(statements) == []
    assert locked_in_the_other_order(statements) == []
    made = {name: valid for name, _, valid in run(postgresql, MADE)}
    assert all(made[name] for name in names)
    gone = ("gm_grant_live", "gm_event_at", "gm_accesstoken_tokens", "gm_refreshtoken_tokens")
    assert [name for name in gone if name in made] == []


def test_a_key_whose_rows_are_checked_at_once_is_seen():
    done = 'INSERT INTO "django_migrations" VALUES (1)'
    late = 'ALTER TABLE "t" ADD CONSTRAINT "k" FOREIGN KEY ("a") REFERENCES "u" ("id")'
    assert checked_at_once(['CREATE TABLE "t" ()', late, done]) == []
    assert checked_at_once(['CREATE TABLE "t" ()', done, late, done]) == [late]
    assert checked_at_once([f"{late} NOT VALID", done]) == []


def test_what_is_there_is_kept(postgresql):  # noqa: F811 - it is that fixture
    """As earlier versions of 0002 and 0003 made it. What an interrupt left invalid is made anew."""
    url = postgresql.get_uri()
    earlier(url, "0005_purge_run")
    table = "CREATE INDEX {} ON grant_management_grantevent (service_id)"
    run(
        postgresql,
        table.format("gm_event_newest"),
        table.format("gm_event_actor"),
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'gm_event_actor'::regclass",
    )
    before = {name: oid for name, oid, _ in run(postgresql, MADE)}
    upgrade(url)
    after = {name: oid for name, oid, valid in run(postgresql, MADE) if valid}
    assert after["gm_event_newest"] == before["gm_event_newest"]
    assert after["gm_event_actor"] != before["gm_event_actor"]


def test_the_squashed_migration_makes_what_the_others_make(database_url):  # noqa: F811
    """The database of the tests is new; the other one was upgraded from the first version on."""
    upgraded = earlier(database_url, LAST)
    assert len(upgraded) > 25
    for name, table in schema(connection).items():
        assert upgraded.pop(name) == table
    assert upgraded == {}


def test_what_blocks_is_seen():
    done = 'INSERT INTO "django_migrations" VALUES (1)'
    new = ['CREATE TABLE "t" ()', 'CREATE INDEX "i" ON "t" ("a")', done]
    assert blocking(new) == []
    for late in (
        'CREATE INDEX "i" ON "t" ("a")',
        'CREATE UNIQUE INDEX "i" ON "t" ("a")',
        'ALTER TABLE "t" ADD CONSTRAINT "i" UNIQUE ("a")',
        'ALTER TABLE "t" ADD COLUMN "b" int, ADD CONSTRAINT "i" UNIQUE ("b")',
        'DROP INDEX IF EXISTS "i"',
    ):
        assert blocking([*new, late, done]) == [late]
    for late in (
        'CREATE INDEX CONCURRENTLY "i" ON "t" ("a")',
        'ALTER TABLE "t" ADD CONSTRAINT "i" UNIQUE USING INDEX "j"',
        'DROP INDEX CONCURRENTLY IF EXISTS "i"',
    ):
        assert blocking([*new, late, done]) == []
