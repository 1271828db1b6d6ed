"""`distribute`, on a real PostgreSQL with functions and tables that stand in for those of Citus.

They refuse what Citus 13.2 refused: a unique key without the service, and a table that refers to one
that is not placed yet. As there, the first table that is placed makes local ones of all that foreign
keys connect with it. Whether Citus does more is not known here.
"""

import io
import json
import re

import pytest
from django.core.management import CommandError, call_command

from grant_management.models import placement

from ..ours import connection
from ..standalone import ROOT

CITUS = """
CREATE FUNCTION citus_version() RETURNS text LANGUAGE sql
    AS $$ SELECT 'Citus 13.2.2 on x86_64-pc-linux-gnu, compiled by gcc' $$;
CREATE TABLE pg_dist_local_group (groupid integer);
INSERT INTO pg_dist_local_group VALUES (0);
CREATE TABLE pg_dist_node (node_name text);
INSERT INTO pg_dist_node VALUES ('w1'), ('w2');
CREATE FUNCTION citus_get_active_worker_nodes() RETURNS SETOF pg_dist_node LANGUAGE sql
    AS $$ SELECT * FROM pg_dist_node $$;
CREATE TABLE pg_dist_partition (logicalrelid regclass PRIMARY KEY, partmethod "char",
    colocationid integer, repmodel "char");
CREATE VIEW placed AS SELECT * FROM pg_dist_partition WHERE colocationid <> 0;
CREATE FUNCTION lacks_its_place(child regclass) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'f' AND conrelid = child
        AND confrelid NOT IN (SELECT logicalrelid FROM placed)) $$;
CREATE FUNCTION place(one regclass, method "char", colocation integer, replication "char")
    RETURNS void LANGUAGE sql AS $$
    DELETE FROM pg_dist_partition WHERE logicalrelid = one;
    INSERT INTO pg_dist_partition VALUES (one, method, colocation, replication);
    WITH RECURSIVE pairs AS (SELECT conrelid AS a, confrelid AS b FROM pg_constraint
        WHERE contype = 'f'), connected (found) AS (SELECT one::oid
        UNION SELECT CASE found WHEN a THEN b ELSE a END FROM connected, pairs WHERE found IN (a, b))
    INSERT INTO pg_dist_partition SELECT found, 'n', 0, 's' FROM connected ON CONFLICT DO NOTHING;
$$;
CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF lacks_its_place(table_name) THEN RAISE 'it refers to a local table'; END IF;
    PERFORM place(table_name, 'n', 1, 't');
END $$;
CREATE FUNCTION create_distributed_table(table_name regclass, distribution_column text,
    distribution_type text DEFAULT 'hash', colocate_with text DEFAULT 'default',
    shard_count integer DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_index WHERE indisunique AND indrelid = table_name
        AND NOT pg_get_indexdef(indexrelid) LIKE '%' || distribution_column || '%')
    THEN RAISE 'a unique key lacks the distribution column'; END IF;
    IF lacks_its_place(table_name) THEN RAISE 'it refers to a local table'; END IF;
    PERFORM place(table_name, 'h', CASE colocate_with WHEN 'none' THEN 2 ELSE
        (SELECT colocationid FROM placed WHERE logicalrelid = colocate_with::regclass) END, 's');
END $$;
CREATE FUNCTION truncate_local_data_after_distributing_table(function_name regclass) RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('TRUNCATE %s CASCADE', function_name); END $$;
"""


@pytest.fixture
def postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: --db postgresql")


@pytest.fixture
def citus(postgresql):
    """A coordinator with two workers, until this transaction ends."""
    run(CITUS)


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def distribute(*arguments):
    """Its answer."""
    out = io.StringIO()
    call_command("distribute", "--json", *arguments, stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def placed():
    return dict(run("SELECT logicalrelid::text, partmethod::text FROM placed"))


def names(models):
    return [model._meta.db_table for model in models]


def test_the_whole_of_it(citus, world):
    """What each node has whole, then the tables of services, together; then what is left behind."""
    world.token(world.grant())
    run("SET CONSTRAINTS ALL IMMEDIATE")  # as if its transaction had ended
    told = distribute("--yes", "--shards", "8")
    whole, own = names(placement.everywhere()), names(placement.of_service())
    assert placed() == dict.fromkeys(whole, "n") | dict.fromkeys(own, "h")
    assert run("SELECT DISTINCT colocationid FROM placed WHERE partmethod = 'h'") == [(2,)]
    first = told["statements"][len(DROPPED) + len(whole)]
    assert first.endswith("'service_id', colocate_with => 'none', shard_count => 8)")
    left = [sql for sql in told["statements"] if "truncate_local_data" in sql]
    cut = [sql.split("'")[1] for sql in left]
    # Other tests may have left pages of their rows in more tables than these.
    assert set(cut) >= set(BEFORE)
    assert cut == [one for one in own[::-1] if one in cut]
    assert told["statements"][-len(left) :] == left
    assert distribute("--yes") == {"statements": [], "done": True}


def test_a_dry_run_changes_nothing(citus, world):
    told = distribute("--dry-run")
    assert told["done"] is False
    assert len(told["statements"]) > 20
    assert placed() == {}


def test_it_goes_on_where_it_was(citus):
    statements = distribute("--dry-run")["statements"]
    for done, sql in enumerate(statements, 1):
        run(sql)
        assert distribute("--dry-run")["statements"] == statements[done:]


def test_it_asks(citus, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda question: "n")
    with pytest.raises(CommandError, match=r"Nothing was done\."):
        distribute()
    assert placed() == {}
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert distribute()["done"] is True
    assert placed()


DROPPED = ("gm_client_alone", "gm_grant_alone")
BEFORE = (
    "grant_management_accesstoken",
    "grant_management_client",
    "grant_management_grant",
)
"""The tables that have rows in a world."""
SPOILED = {
    "citus_too_old": "CREATE OR REPLACE FUNCTION citus_version() RETURNS text LANGUAGE sql AS"
    " $$ SELECT 'Citus 12.1.6 on x86_64' $$",
    "not_coordinator": "UPDATE pg_dist_local_group SET groupid = 3",
    "no_workers": "DELETE FROM pg_dist_node",
    "keys": "CREATE UNIQUE INDEX host ON grant_management_grantevent (id)",
    "bridge": "CREATE TABLE grant_management_oauth_toolkit_linkedtoken"
    " (grant_id uuid REFERENCES grant_management_grant (id))",
    "referred_to": "CREATE TABLE host (grant_id uuid REFERENCES grant_management_grant (id))",
    "placed_otherwise": "SELECT place('grant_management_service', 'h', 7, 's')",
    "not_migrated": "ALTER TABLE grant_management_call RENAME TO other",
}


def test_a_key_that_was_left_for_others_is_dropped(citus):
    """The migration left it where a host's table referred to tokens; that table is gone since."""
    run("DROP INDEX gm_accesstoken_alone")
    run("CREATE UNIQUE INDEX gm_accesstoken_alone ON grant_management_accesstoken (id)")
    run("CREATE TABLE host (token_id uuid REFERENCES grant_management_accesstoken (id))")
    with pytest.raises(CommandError, match=r"^referred_to: .*: host"):
        distribute("--yes")
    run("DROP TABLE host")
    assert "DROP INDEX gm_accesstoken_alone" in distribute("--yes")["statements"]


@pytest.mark.parametrize("code", SPOILED)
def test_refused(citus, code):
    run(SPOILED[code])
    with pytest.raises(CommandError, match=f"^{code}: "):
        distribute("--yes")
    assert "grant_management_client" not in placed()


def test_a_table_on_one_node_is_placed_otherwise(citus):
    """Such as those of a schema that Citus distributes: no local ones."""
    run("SELECT place('grant_management_grant', 'n', 7, 's')")
    with pytest.raises(CommandError, match=r"^placed_otherwise: .*: grant_management_grant\.$"):
        distribute("--yes")


def test_the_page_names_the_tables_of_the_bridges():
    page = (ROOT / "docs/how-to/sharding.md").read_text()
    found = []
    for path in (ROOT / "grant_management/contrib").glob("*/migrations/0*.py"):
        made = re.findall(r"CreateModel\(\s+name='(\w+)'(.*?)\n        \)", path.read_text(), re.S)
        label = f"grant_management_{path.parent.parent.name}"
        found += [f"{label}_{name}" for name, text in made if "grant_management.grant'" in text]
    assert len(found) == 5
    assert [one for one in found if f"`{one.lower()}`" not in page] == []


def test_without_citus(db):
    code = "no_citus" if connection.vendor == "postgresql" else "not_postgresql"
    with pytest.raises(CommandError, match=f"^{code}: "):
        distribute("--yes")


def test_a_number_of_shards(db):
    with pytest.raises(CommandError, match="'shards'"):
        distribute("--shards", "0")
