"""What PostgreSQL does for a statement: its plan, and which tables it reads whole."""

import json
from contextlib import contextmanager
from functools import cache

from django.test.utils import CaptureQueriesContext

from ..ours import connection

LARGE = {
    f"grant_management_{name}"
    for name in (
        "grant",
        "accesstoken",
        "refreshtoken",
        "grantevent",
        "usedproof",
        "call",
        "webhookdelivery",
        "streamdelivery",
        "organizationevent",
        "dailycount",
    )
}


def nodes(plan):
    """A plan's nodes, from the top."""
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def plan_of(sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        found = cursor.fetchone()[0]
    return (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]


@cache
def is_large(table):
    """A table of a few pages is read whole, whatever its indexes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [table])
        return table in LARGE and cursor.fetchone()[0] > 10_000


def _of_large(statements):
    """What these statements do with large tables: the nodes of their plans, with the statement."""
    return [
        (node, sql)
        for sql in statements
        if sql.startswith(("SELECT", "UPDATE", "DELETE", "WITH"))
        for node in nodes(plan_of(sql))
        if is_large(node.get("Relation Name", ""))
    ]


def read_whole(statements):
    """The large tables that these statements read from end to end, each with its statement."""
    return _whole(_of_large(statements))


def _whole(large):
    return [
        (node["Relation Name"], sql[:2_000])
        for node, sql in large
        if node["Node Type"] == "Seq Scan"
    ]


def follow_no_index(statements):
    """Those, and the indexes of large tables that these statements follow from an end, with no
    condition that the index answers: they may read all of it before they find a row.
    """
    large = _of_large(statements)
    return _whole(large) + [
        (node["Index Name"], sql[:2_000])
        for node, sql in large
        if "Index Name" in node and "Index Cond" not in node
    ]


@contextmanager
def statements():
    """The statements of a block, once it is over."""
    seen = []
    with CaptureQueriesContext(connection) as captured:
        yield seen
    seen += [query["sql"] for query in captured]
