"""The search and the pages of people and clients read no table whole, on SQLite.

What PostgreSQL does with a million grants is in `tests/scale`. SQLite chooses its plan by the
indexes that there are, so a few rows tell the same as many.
"""

import contextlib
import uuid

import pytest
from django.urls import reverse

from grant_management.models import Actor, Call, Reason, Tally
from grant_management.protocol.digests import sha256

from ..ours import connection
from ..world import make_world, now

SMALL = ("organization", "service", "organizationmember", "tally")
FIND = reverse("admin:grant_management_grant_find")


@contextlib.contextmanager
def planned():
    """The parts of all plans that read a whole table or index, once the block is over. The values
    are bound as they are by the app: a partial index may depend on them.
    """
    found = []

    def look(execute, sql, params, many, context):
        if sql.startswith("SELECT") and "grant_management_" in sql:
            cursor = context["connection"].connection.cursor()
            quoted = sql.replace("%s", "?") if params else sql
            for *_, detail in cursor.execute(f"EXPLAIN QUERY PLAN {quoted}", params or ()):
                if detail.startswith("SCAN") and not _is_small(detail):
                    found.append((detail, sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield found


def _is_small(detail):
    """A table of one row or of a row for each tenant, or the result of a subquery."""
    what = detail.split()[1]
    tables = {f"grant_management_{name}" for name in SMALL}
    if "VIRTUAL TABLE" in detail:  # the members of one row's JSON
        return True
    return what in tables or what.startswith(
        ("(", "CONSTANT", "col", "__col", "subquery", "counted")
    )


@pytest.fixture
def rows(request, world):
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("the plans of SQLite")
    make_world(name="Other").grant()
    grant = world.grant()
    world.token(grant, value="a-token")
    grant.record("merged", now(), Actor.operator("ann"), ticket="T-1")
    code = {"code": "A281305", "grant_id": grant.grant_id, "client_id": "app-1"}
    Call.objects.create(service=world.service, at=now(), **code)
    world.service.call_log_size = 10
    world.service.save()
    return grant


@pytest.mark.parametrize(
    "text",
    [
        "user-1",
        "nothing",
        "a-token",
        sha256("a-token").hex()[:8],
        "app-1",
        "Budget",
        "T-1",
        "A281305",
        str(uuid.UUID(int=1)),
    ],
)
def test_a_search(admin_client, rows, text):
    with planned() as whole:
        admin_client.post(FIND, {"text": text})
    assert whole == []


@pytest.mark.parametrize("query", [{}, {"service": "1"}])
def test_a_person(admin_client, world, rows, query):
    url = reverse("admin:grant_management_grant_person", args=[rows.pk])
    query = {"service": world.service.pk} if query else {}
    with planned() as whole:
        admin_client.get(url, query)
        people = reverse("admin:grant_management_grant_people")
        admin_client.get(people, query)
        admin_client.get(people, query | {"sort": "subject", "after": rows.pk})
        for name in ("call", "grantevent"):
            listed = reverse(f"admin:grant_management_{name}_changelist")
            admin_client.get(listed, query | {"person": rows.pk})
        preview = reverse("admin:grant_management_grant_revoke_many", args=[rows.pk])
        admin_client.post(preview, {"these": "all"})
    assert whole == []


def test_a_receipt(admin_client, rows):
    rows.revoke(Actor.operator("ann"), Reason("other"), job=rows.pk)
    with planned() as whole:
        admin_client.get(reverse("admin:grant_management_grant_receipt", args=[rows.pk]))
    assert whole == []


def test_a_client(admin_client, world, rows):
    Tally.count_events()  # the first count reads all events, and each later one the new ones
    with planned() as whole:
        admin_client.get(reverse("admin:grant_management_client_change", args=[world.client.pk]))
    assert whole == []


def test_related_pages(admin_client, rows):
    calls = list(Call.objects.all())
    with planned() as whole:
        for call in calls:
            admin_client.get(reverse("admin:grant_management_call_change", args=[call.pk]))
    assert whole == []
