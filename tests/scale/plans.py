"""What PostgreSQL does for a statement: its plan, and which tables it reads whole."""

import json
from contextlib import contextmanager
from functools import cache

from django.test.utils import CaptureQueriesContext

from grant_management.models.stops import LOOKS

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


def plan_of(sql, parameters=None, *, really=False):
    """The plan of a statement; `really`: after it was run, with the rows that there were."""
    analyze = ", ANALYZE, TIMING OFF" if really else ""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON{analyze}) {sql}", parameters)
        found = cursor.fetchone()[0]
    return (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]


@cache
def is_large(table):
    """A table of a few pages is read whole, whatever its indexes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [table])
        return table in LARGE and cursor.fetchone()[0] > 10_000


def read_whole(statements):
    """The large tables that these statements read from end to end, each with its statement."""
    return [
        (node["Relation Name"], sql[:2_000])
        for sql in statements
        if sql.startswith(("SELECT", "UPDATE", "DELETE", "WITH"))
        for node in nodes(plan_of(sql))
        if is_large(node.get("Relation Name", "")) and node["Node Type"] == "Seq Scan"
    ]


MOST_ROWS = LOOKS[0] + 100
"""The rows of a table that a page looks at for one number, at most. (Of many loops PostgreSQL tells
the mean, which is rounded.)
"""


def read_far(statements, most=MOST_ROWS):
    """The large tables of which these queries look at more rows than that, each with the number of
    rows and its statement.

    The queries are run again, since a plan does not tell how far the database follows an index.
    """
    return [
        (node["Relation Name"], _looked_at(node), sql[:2_000])
        for sql in statements
        if sql.startswith("SELECT") and not sql.endswith("FOR UPDATE")
        for node in nodes(plan_of(sql, really=True))
        if is_large(node.get("Relation Name", "")) and _looked_at(node) > most
    ]


def _looked_at(node):
    """The rows that it gave, and those that it read and left out, in all of its loops."""
    left_out = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    each = node["Actual Rows"] + sum(node.get(name, 0) for name in left_out)
    return round(each * node["Actual Loops"])


@contextmanager
def statements():
    """The statements of a block, once it is over."""
    seen = []
    with CaptureQueriesContext(connection) as captured:
        yield seen
    seen += [query["sql"] for query in captured]
