"""Lists: pages by key, filters, counts; and that nothing is missed or shown twice."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import grant_management.admin
from grant_management.db import counting, keyset
from grant_management.models import Actor, Call, Client, EventKind, Grant, GrantEvent

from ..world import make_operator, make_world, now

GRANTS = reverse("admin:grant_management_grant_changelist")


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(keyset, "SIZE", 3)


def walk(admin_client, url=GRANTS, way="next", **query):
    """The keys of all pages, one list a page."""
    pages, parameter = [], {"next": "after", "previous": "before"}[way]
    while True:
        page = admin_client.get(url, query).context["list"]
        pages.append([row.pk for row in page.rows])
        cursor = getattr(page, way)
        if not cursor:
            return pages
        assert len(pages) < 50
        query[parameter] = cursor


@pytest.mark.parametrize("number", [0, 1, 3, 4, 6, 7])
def test_every_row_once_in_order(admin_client, world, small, number):
    """Also those of one moment, which their keys put in order."""
    at = now() - timedelta(days=1)
    made = [world.grant(created_at=at + timedelta(hours=index // 2)) for index in range(number)]
    pages = walk(admin_client)
    expected = [
        grant.pk for grant in sorted(made, key=lambda one: (one.created_at, one.pk), reverse=True)
    ]
    assert [key for page in pages for key in page] == expected
    assert all(len(page) == 3 for page in pages[:-1])


def test_back_again(admin_client, world, small):
    for _ in range(8):
        world.grant()
    forward = walk(admin_client)
    last = admin_client.get(GRANTS).context["list"]
    while last.next:
        page = admin_client.get(GRANTS, {"after": last.next}).context["list"]
        last = page
    backward = [
        [row.pk for row in last.rows],
        *walk(admin_client, way="previous", before=last.previous),
    ]
    assert backward[::-1] == forward


@pytest.mark.parametrize(
    "cursor", ["", "x", "[]", '["a","b"]', "[1,2]", '{"a":1}', '["2026-01-01",null]', "[" * 99]
)
def test_a_broken_cursor_is_the_first_page(admin_client, world, cursor):
    grant = world.grant()
    for name in ("after", "before"):
        page = admin_client.get(GRANTS, {name: cursor}).context["list"]
        assert [row.pk for row in page.rows] == [grant.pk]


def test_counts_are_bounded(admin_client, world, monkeypatch):
    monkeypatch.setattr(counting, "COUNT_LIMIT", 3)
    for number in range(6):
        world.grant()
        page = admin_client.get(GRANTS)
        assert page.context["list"].count == min(number + 1, 4)
    assert "more than 3 found" in page.content.decode()


class TestFilters:
    @pytest.fixture
    def crowd(self, world):
        cut = Client.objects.create(service=world.service, client_id="cut", not_before=now())
        return {
            "active": world.grant(last_used_at=now()),
            "pending": world.grant(pending=True),
            "expired": world.grant(expires_at=now() - timedelta(hours=1)),
            "revoked": world.grant(revoked_at=now()),
            "cut_off": world.grant(client=cut),
            "typed": world.grant(authorization_details='[{"type":"payment"}]'),
            "old": world.grant(created_at=datetime(2026, 1, 31, 23, 59, tzinfo=UTC)),
            "ending": world.grant(expires_at=now() + timedelta(days=2), subject="user-2"),
        }

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"status": "active"}, {"active", "typed", "old", "ending"}),
            ({"status": "pending"}, {"pending"}),
            ({"status": "expired"}, {"expired"}),
            ({"status": "revoked"}, {"revoked"}),
            ({"status": "cut_off"}, {"cut_off"}),
            ({"client": "cut"}, {"cut_off"}),
            ({"client": "cu"}, set()),
            ({"authorization_type": "payment"}, {"typed"}),
            ({"authorization_type": "pay"}, set()),
            ({"since": "2026-01-31", "until": "2026-01-31"}, {"old"}),
            ({"until": "2026-01-30"}, set()),
            ({"expires_within": "7"}, {"ending"}),
            ({"q": "user-2"}, {"ending"}),
            ({"q": "user-2", "status": "revoked"}, set()),
            ({"q": "cut", "status": "cut_off"}, {"cut_off"}),
        ],
    )
    def test_filter(self, admin_client, crowd, query, expected):
        found = {row.pk for row in admin_client.get(GRANTS, query).context["list"].rows}
        assert {name for name, grant in crowd.items() if grant.pk in found} == expected

    @pytest.mark.parametrize(
        "query",
        [{"status": "x"}, {"since": "yesterday"}, {"service": "1"}, {"expires_within": "-1"}],
    )
    def test_what_is_no_filter_says_so(self, admin_client, crowd, query):
        page = admin_client.get(GRANTS, query)
        assert page.status_code == 200
        assert page.context["list"] is None
        assert page.context["form"].errors

    def test_all_services_where_none_is_chosen(self, admin_client, crowd, world):
        """And the page says which; with a term that is searched for, and without."""
        other = make_world(name="A first one")
        theirs = other.grant(subject="user-2")
        page = admin_client.get(GRANTS)
        assert {row.pk for row in page.context["list"].rows} == {
            theirs.pk,
            *(grant.pk for grant in crowd.values()),
        }
        assert "9 found in all 2 services" in page.content.decode()
        found = admin_client.get(GRANTS, {"q": "user-2"}).context["list"].rows
        assert {row.pk for row in found} == {theirs.pk, crowd["ending"].pk}
        page = admin_client.get(GRANTS, {"q": "user-2", "service": other.service.pk})
        assert [row.pk for row in page.context["list"].rows] == [theirs.pk]
        assert "1 found in A first one" in page.content.decode()

    def test_a_term_that_is_two_things(self, admin_client, world):
        """A subject of the same name as a client: both are found."""
        world.client_named("same")
        first = world.grant(client=Client.objects.get(client_id="same"))
        second = world.grant(subject="same")
        found = admin_client.get(GRANTS, {"q": "same"}).context["list"].rows
        assert {row.pk for row in found} == {first.pk, second.pk}


def test_a_window_is_looked_through_to_its_end(admin_client, world, small, monkeypatch):
    """What no index finds is looked for a window at a time, and none is left out."""
    monkeypatch.setattr(keyset, "WINDOW", 4)
    wanted = []
    for number in range(20):
        grant = world.grant(revoked_at=now() if number % 6 == 0 else None)
        if number % 6 == 0:
            wanted.insert(0, grant.pk)
    pages = walk(admin_client, status="revoked")
    assert [key for page in pages for key in page] == wanted
    oldest = Grant.objects.order_by("created_at", "pk").first()
    before = json.dumps([oldest.created_at.isoformat(), str(oldest.pk)])
    back = walk(admin_client, way="previous", status="revoked", before=before)
    assert [key for page in back[::-1] for key in page] == wanted[:-1]
    shown = admin_client.get(GRANTS, {"status": "revoked"}).content.decode()
    assert "among the next" in shown
    first = admin_client.get(GRANTS, {"status": "cut_off"}).content.decode()
    assert "No match among the rows that were searched so far" in first
    assert "Search further" in first


def test_statements_of_a_list(admin_client, world, django_assert_max_num_queries):
    for _ in range(60):
        world.grant()
    for query in ({}, {"q": "user-1"}, {"status": "active"}, {"client": "app-1"}):
        with django_assert_max_num_queries(15):
            admin_client.get(GRANTS, query)


def test_events(admin_client, world):
    grant = world.grant()
    from grant_management.models import Actor, Reason

    grant.revoke(Actor.operator("ann"), Reason("regulator"))
    url = reverse("admin:grant_management_grantevent_changelist")
    for query, found in [
        ({"q": "ann"}, 1),
        ({"q": grant.grant_id}, 1),
        ({"q": "user-1"}, 1),
        ({"q": "app-1"}, 1),
        ({"q": "bob"}, 0),
        ({"reason": "regulator"}, 1),
        ({"reason": "other"}, 0),
        ({"kind": "created"}, 0),
        ({"actor_kind": "operator"}, 1),
    ]:
        assert admin_client.get(url, query).context["list"].count == found, query
    assert GrantEvent.objects.count() == 1


def test_calls(admin_client, world):
    for code in ("A277001", "A280301"):
        Call.objects.create(
            request_id=f"request-{code}",
            service=world.service,
            at=now(),
            code=code,
            action="QUERY",
            client_id="app-1",
            grant_id="g",
        )
    url = reverse("admin:grant_management_call_changelist")
    for query, found in [
        ({}, 2),
        ({"outcome": "refused"}, 1),
        ({"outcome": "done"}, 1),
        ({"code": "A280301"}, 1),
        ({"q": "g"}, 2),
        ({"q": "h"}, 0),
        ({"client": "app-1"}, 2),
        ({"request_id": "request-A280301"}, 1),
        ({"action": "REVOKE"}, 0),
        ({"until": "2026-01-01"}, 0),
    ]:
        assert admin_client.get(url, query).context["list"].count == found, query


def test_a_cursor_holds_no_more_than_the_order_needs(admin_client, world, small):
    for _ in range(4):
        world.grant()
    cursor = json.loads(admin_client.get(GRANTS).context["list"].next)
    third = Grant.objects.order_by("-created_at", "-pk")[2]
    assert cursor == [third.created_at.isoformat(), str(third.pk)]


@pytest.mark.parametrize("few", [0, 2_000])
def test_a_text_that_several_columns_have(admin_client, world, few, monkeypatch):
    """Each row once, in the list's order, whichever way the database looks for them."""
    monkeypatch.setattr("grant_management.admin.kit.list_form.FEW", few)
    for fields in ({"client_id": "x"}, {"subject": "y"}, {"subject": "x", "client_id": "x"}):
        GrantEvent.objects.record(
            EventKind.CREATED, world.service.pk, now(), Actor.client("x"), **fields
        )
    GrantEvent.objects.record(EventKind.CREATED, world.service.pk, now(), Actor.client("z"))
    page = admin_client.get(reverse("admin:grant_management_grantevent_changelist"), {"q": "x"})
    found = GrantEvent.objects.filter(actor="x").order_by("-at", "-pk")
    assert [row.pk for row in page.context["list"].rows] == [event.pk for event in found]
    assert len(found) == 3


def test_a_column_that_finds_nothing_else_is_left_out(admin_client, world):
    """Events of a client that were done by it: the index of one column has them in order."""
    for _ in range(2):
        GrantEvent.objects.record(
            EventKind.CREATED, world.service.pk, now(), Actor.client("x"), client_id="x"
        )
    with CaptureQueriesContext(connection) as captured:
        page = admin_client.get(reverse("admin:grant_management_grantevent_changelist"), {"q": "x"})
    assert page.context["list"].count == 2
    ordered = [one["sql"] for one in captured if '"at" DESC' in one["sql"]]
    assert any("\"client_id\" = 'x'" in sql for sql in ordered)
    assert not any("\"actor\" = 'x'" in sql for sql in ordered)


def test_the_choices_are_read_by_one_statement(admin_client, world):
    """Django's own field reads them through a cursor of the server, which PostgreSQL fills first."""
    with CaptureQueriesContext(connection) as captured:
        admin_client.get(GRANTS)
    assert not [one["sql"] for one in captured if one["sql"].startswith(("DECLARE", "FETCH"))]


def test_every_choice_of_rows_is_such_a_field():
    """In the admin, whose pages have it in their filters and forms."""
    folder = Path(grant_management.admin.__file__).parent
    used = [
        one.name for one in folder.rglob("*.py") if "forms.ModelChoiceField(" in one.read_text()
    ]
    assert used == []


@pytest.fixture
def two_of_three(client, django_user_model, world):
    """An operator of the two services of one organization; a third service is of another one."""
    worlds = [world, make_world(world.service.organization), make_world()]
    operator = make_operator(django_user_model, organization=world.service.organization)
    operator.user_permissions.add(Permission.objects.get(codename="view_grant"))
    client.force_login(operator)
    at = now() - timedelta(days=1)
    for minute in range(6):  # the newest ones are the other organization's
        for n, each in enumerate(worlds):
            each.grant(created_at=at + timedelta(minutes=minute, hours=n), pending=True)
    return client, {one.service.pk for one in worlds[:2]}


@pytest.mark.parametrize("query", [{}, {"status": "pending"}, {"sort": "created"}])
def test_of_several_services_no_others_are_counted(two_of_three, small, query):
    """With a filter, too, which is tested on a window of the rows of all of them."""
    http, services = two_of_three
    page = http.get(GRANTS, query).context["list"]
    assert page.count == 12
    assert {key for rows in walk(http, **query) for key in rows} == set(
        Grant.objects.filter(service__in=services).values_list("pk", flat=True)
    )


READS = {
    "first": lambda rows: [row.pk for row in rows.first(99)],
    "keys": lambda rows: list(rows.keys()),
    "counted_keys": lambda rows: rows.counted_keys(99)[0],
    "their number": lambda rows: range(rows.counted_keys(1)[1]),
    "by_key": lambda rows: rows.by_key(list(Grant.objects.values_list("pk", flat=True))),
    "those": lambda rows: list(rows.those(Q(pending=True)).keys()),
    "count": lambda rows: range(rows.count()),
}


@pytest.mark.parametrize("read", READS)
def test_rows_of_several_services_are_of_no_other(two_of_three, read):
    """Whatever reads them: `rows` themselves are those of all services."""
    _http, services = two_of_three
    rows = keyset.Merged(Grant.objects.all(), ("-created_at", "-pk"), None, tuple(services))
    assert len(READS[read](rows)) == 12
