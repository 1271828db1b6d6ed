"""The cost of a page is bounded, whatever its rows hold and however many there are."""

import json
import tracemalloc
from datetime import timedelta

import pytest
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grant_management.admin import grant_timeline
from grant_management.admin.kit import content
from grant_management.db import counting, keyset
from grant_management.models import (
    Actor,
    Call,
    Client,
    Grant,
    GrantEvent,
    GrantFilter,
    OrganizationMember,
    Sweep,
    grant_filter,
)
from grant_management.models.grant import CONTENT

from ..exports import body, drop
from ..ours import connection
from ..world import make_world, now

MB = 1_000_000
ANN = Actor.operator("ann")
LARGE = json.dumps(
    [{"type": "account", "x": "y" * 4_000} for _ in range(1_000)], separators=(",", ":")
)


def url(model, page, *arguments):
    return reverse(f"admin:grant_management_{model}_{page}", args=arguments)


def record(world, grant, number=1, **fields):
    about = {"service_id": world.service.pk, "grant_id": grant.grant_id} | fields
    events = [
        GrantEvent.about("merged", now() + timedelta(seconds=n), ANN, **about)
        for n in range(number)
    ]
    return GrantEvent.objects.bulk_create(events)


@pytest.fixture
def large(world):
    """4 MB of details, as many of scopes and claims; merged five times, with tokens."""
    names = " ".join(f"scope-{n:07d}" for n in range(MB // 4))
    grant = world.grant(
        authorization_details=LARGE,
        scopes=json.dumps([{"scope": names}]),
        claims=json.dumps([f"claim-{n}" for n in range(MB // 10)]),
    )
    held = json.dumps({"authorization_details": json.loads(LARGE)})
    record(world, grant, 5, details={"before": held, "after": held})
    for _ in range(25):
        world.token(grant)
        world.refresh_token(grant)
    return grant


class Weighed:
    """What a request made of memory and sent."""

    def __init__(self, admin_client):
        self.client = admin_client

    def __call__(self, *arguments, data=None):
        self.client.get(url("call", "codes"))  # whatever is loaded once is loaded
        tracemalloc.start()
        try:
            answer = (
                self.client.get(*arguments) if data is None else self.client.post(*arguments, data)
            )
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert answer.status_code == 200
        assert peak < 12 * MB, peak
        assert len(answer.content) < MB, len(answer.content)
        return answer


@pytest.fixture
def weighed(admin_client):
    return Weighed(admin_client)


class TestOneGrant:
    def test_its_page(self, weighed, large):
        page = weighed(url("grant", "change", large.pk))
        text = page.content.decode()
        assert url("grant", "content", large.pk) in text
        assert "It holds more than fits here" in text
        assert "What changed is too long for this page" in text

    def test_all_of_it_as_a_file(self, admin_client, large):
        held = json.loads(admin_client.get(url("grant", "content", large.pk)).content)
        assert held["authorization_details"] == json.loads(LARGE)
        assert len(held["claims"]) == MB // 10
        assert held["scopes"] == json.loads(large.scopes)

    def test_what_a_revoke_stops(self, weighed, large):
        assert (
            "more than can be listed here"
            in weighed(url("grant", "revoke", large.pk)).content.decode()
        )

    def test_its_tokens(self, weighed, world, large):
        for name in ("accesstoken", "refreshtoken"):
            page = weighed(url(name, "changelist"), {"q": large.grant_id})
            assert page.context["list"].count == 25
            weighed(url(name, "change", page.context["list"].rows[0].pk))

    def test_its_events(self, weighed, admin_client, large):
        page = weighed(url("grantevent", "changelist"), {"q": large.grant_id})
        assert page.context["list"].count == 5
        event = page.context["list"].rows[0]
        shown = weighed(url("grantevent", "change", event.pk)).content.decode()
        whole = url("grantevent", "details", event.pk)
        assert whole in shown
        details = json.loads(admin_client.get(whole).content)
        assert json.loads(details["after"])["authorization_details"] == json.loads(LARGE)

    def test_lists_of_grants(self, weighed, world):
        for number in range(20):
            world.grant(authorization_details=LARGE, subject=f"user-{number}")
        world.grant(authorization_details='[{"type":"b"},{"type":"a"}]', subject="small")
        page = weighed(url("grant", "changelist"))
        assert page.context["list"].count == 21
        text = page.content.decode()
        assert "<li><code>a</code></li><li><code>b</code></li>" in text
        assert text.count("more than can be listed here<") == 20

    def test_find_by_token(self, admin_client, world, large):
        value = world.token(large)
        with CaptureQueriesContext(connection) as captured:
            for text in (value, large.grant_id, large.subject):
                assert admin_client.post(url("grant", "find"), {"text": text}).context["groups"]
        assert not any(_reads_content(query["sql"]) for query in captured)

    def test_no_page_reads_what_it_does_not_show(self, admin_client, world, large):
        """But for the columns as far as they are shown, and the files."""
        for address in (
            url("grant", "changelist"),
            url("grant", "change", large.pk),
            url("grant", "revoke", large.pk),
            url("grant", "person", large.pk),
            url("client", "change", world.client.pk),
            url("accesstoken", "changelist"),
            url("refreshtoken", "changelist"),
        ):
            with CaptureQueriesContext(connection) as captured:
                admin_client.get(address)
            assert [q["sql"] for q in captured if _reads_content(q["sql"])] == [], address

    @pytest.mark.parametrize(
        "details",
        [
            [{"type": "deep", "x": json.loads("[" * 60 + "1," * 4_000 + "1" + "]" * 60)}],
            [{"type": "wide", "x": [1] * 9_000}],
            [{"type": f"t{n}"} for n in range(4_000)],
            [{"type": "<&\"'>" * 3_000}],
        ],
        ids=["deep", "wide", "many", "to be escaped"],
    )
    def test_a_small_text_does_not_become_a_large_page(self, weighed, world, details):
        grant = world.grant(authorization_details=json.dumps(details, separators=(",", ":")))
        weighed(url("grant", "change", grant.pk))

    def test_what_is_short_is_shown_whole(self, admin_client, world):
        grant = world.grant(authorization_details='[{"type":"a","n":1.0},{"type":"b"}]')
        page = admin_client.get(url("grant", "change", grant.pk))
        assert [card["type"] for card in page.context["content"]["details"]] == ["a", "b"]
        assert not page.context["content"]["more"]
        assert "holds more" not in page.content.decode()


def _reads_content(sql):
    """A column of content as it is, where it is neither measured nor cut first."""
    if "grant_management_grant" not in sql or not sql.startswith("SELECT"):
        return False
    selected = sql.split(" FROM ")[0]
    bare = (f'"grant_management_grant"."{name}"' for name in CONTENT)
    return any(f"{column}," in f"{selected}," and "CASE" not in selected for column in bare)


class TestTimeline:
    def entries(self, admin_client, grant):
        """The titles and keys of all pages."""
        pages, query = [], {}
        while True:
            context = admin_client.get(url("grant", "change", grant.pk), query).context
            pages.append(
                [entry["row"].pk if "row" in entry else None for entry in context["timeline"]]
            )
            if not context["older"]:
                return pages
            query = {"timeline": context["older"]}
            assert len(pages) < 50

    @pytest.mark.parametrize(("events", "calls"), [(0, 0), (3, 0), (0, 4), (7, 7), (3, 3), (1, 6)])
    def test_each_entry_once(self, admin_client, world, monkeypatch, events, calls):
        monkeypatch.setattr(grant_timeline, "PAGE", 3)
        grant = world.grant()
        made = [event.pk for event in record(world, grant, events)]
        for number in range(calls):
            at = now() + timedelta(milliseconds=500 * number)
            fields = {"code": "A280301", "action": "QUERY", "grant_id": grant.grant_id}
            made.append(Call.objects.create(service=world.service, at=at, **fields).pk)
        pages = self.entries(admin_client, grant)
        found = [key for page in pages for key in page]
        assert found[-1] is None  # where it came from
        assert sorted(found[:-1]) == sorted(made)
        assert all(len(page) == 3 for page in pages[:-1])

    def test_events_of_one_moment(self, admin_client, world, monkeypatch):
        monkeypatch.setattr(grant_timeline, "PAGE", 2)
        grant, at = world.grant(), now()
        about = {"service_id": world.service.pk, "grant_id": grant.grant_id}
        made = GrantEvent.objects.bulk_create(
            [GrantEvent.about("merged", at, ANN, **about) for _ in range(7)]
        )
        pages = self.entries(admin_client, grant)
        found = [key for page in pages for key in page if key]
        assert sorted(found) == sorted(event.pk for event in made)
        assert len(found) == 7

    def test_one_that_was_created_here(self, admin_client, world, monkeypatch):
        """Its beginning is the last entry, on the last page alone."""
        monkeypatch.setattr(grant_timeline, "PAGE", 2)
        grant = world.grant()
        about = {"service_id": world.service.pk, "grant_id": grant.grant_id}
        GrantEvent.objects.bulk_create(
            [
                GrantEvent.about("created", grant.created_at, ANN, **about),
                *(GrantEvent.about("merged", now(), ANN, **about) for _ in range(3)),
            ]
        )
        pages = self.entries(admin_client, grant)
        assert [len(page) for page in pages] == [2, 2]
        assert None not in pages[-1]

    def test_links(self, admin_client, world, monkeypatch):
        monkeypatch.setattr(grant_timeline, "PAGE", 2)
        grant = world.grant()
        record(world, grant, 3)
        page = admin_client.get(url("grant", "change", grant.pk))
        assert ">Older</a>" in page.content.decode()
        last = admin_client.get(
            url("grant", "change", grant.pk), {"timeline": page.context["older"]}
        )
        assert ">Newest</a>" in last.content.decode()
        assert ">Older</a>" not in last.content.decode()

    def test_calls_are_for_those_who_may_see_them(self, client, django_user_model, world):
        from django.contrib.auth.models import Permission

        grant = world.grant()
        Call.objects.create(
            service=world.service, at=now(), code="A277001", grant_id=grant.grant_id,
            answer={"action": "OK", "resultMessage": "[A277001] fine"},
        )  # fmt: skip
        user = django_user_model.objects.create_user("ann", is_staff=True)
        seen = Permission.objects.filter(codename__in=["view_grant", "view_grantevent"])
        user.user_permissions.set(seen)
        OrganizationMember.objects.create(user=user)
        client.force_login(user)
        assert len(client.get(url("grant", "change", grant.pk)).context["timeline"]) == 1
        user.user_permissions.add(Permission.objects.get(codename="view_call"))
        titles = [
            entry["title"]
            for entry in client.get(url("grant", "change", grant.pk)).context["timeline"]
        ]
        assert titles == ["Call answered", "Grant created"]


class TestCheckPage:
    """The page before a revoke by filter looks at so many grants, and says so."""

    @pytest.fixture
    def narrow(self, monkeypatch):
        monkeypatch.setattr(grant_filter, "LOOK_INTO", 4)
        monkeypatch.setattr(grant_filter, "LOOK", 8)

    def check(self, admin_client, world, **fields):
        return admin_client.post(url("sweep", "check"), {"service": world.service.pk, **fields})

    def test_it_looks_at_the_newest(self, admin_client, world, narrow):
        for number in range(6):
            pay = number in (0, 4, 5)  # two of the newest four, and the oldest
            world.grant(scopes=f'[{{"scope":"{"pay" if pay else "x"}"}}]', created_at=at(number))
        page = self.check(admin_client, world, scope="pay")
        assert (page.context["count"], page.context["phrase"]) == ("at least 2", "pay")
        assert not page.context["is_all"]
        assert "looked at the newest grants only" in page.content.decode()
        assert len(page.context["sample"]) == 2
        assert page.context["clients"] == [("app-1", 2)]

    @pytest.mark.parametrize(
        ("number", "shown"), [(2, "2"), (4, "more than 3"), (7, "more than 3")]
    )
    def test_it_looks_no_further_than_it_counts(self, world, monkeypatch, number, shown):
        monkeypatch.setattr(grant_filter, "LOOK_FIRST", 5)
        monkeypatch.setattr(counting, "COUNT_LIMIT", 3)
        for index in range(number):
            world.grant(created_at=at(index))
        with CaptureQueriesContext(connection) as captured:
            found = GrantFilter(world.service, subject=world.subject).look(10)
        assert str(found) == shown
        assert not any("OFFSET 100000" in one["sql"] for one in captured)

    def test_none_among_the_newest_is_not_none(self, admin_client, world, narrow):
        world.grant(scopes='[{"scope":"pay"}]', created_at=at(0))
        for number in range(1, 6):
            world.grant(created_at=at(number))
        page = self.check(admin_client, world, scope="pay")
        assert page.context["count"] == "at least 0"
        assert not page.context["none"]

    @pytest.mark.parametrize("number", [3, 4])
    def test_so_many_and_no_more_are_all(self, admin_client, world, narrow, number):
        for index in range(number):
            world.grant(created_at=at(index))
        page = self.check(admin_client, world, scope="openid")
        assert page.context["count"] == str(number)
        assert page.context["is_all"]

    def test_dead_ones_count_as_looked_at(self, admin_client, world, narrow):
        """Else a service whose newest grants are all revoked would be read whole."""
        for index in range(12):
            world.grant(created_at=at(index), revoked_at=now() if index > 1 else None)
        for fields in ({"scope": "openid"}, {"subject": "user-1"}):
            assert self.check(admin_client, world, **fields).context["count"] == "at least 0"

    def test_grants_of_one_moment(self, admin_client, world, narrow):
        for _ in range(9):
            world.grant(created_at=at(0))
        assert self.check(admin_client, world, scope="openid").context["count"] == "at least 4"

    def test_what_is_not_counted_is_not_expected(self, admin_client, world, narrow, monkeypatch):
        from grant_management.admin import sweep as pages

        monkeypatch.setattr(pages, "work_in_background", lambda sweep: None)
        for index in range(6):
            world.grant(created_at=at(index))
        page = self.check(admin_client, world, scope="openid")
        sent = {"service": world.service.pk, "scope": "openid", "reason": "other"}
        sent |= {"sweep": page.context["confirm"].initial["sweep"], "typed": page.context["phrase"]}
        assert admin_client.post(url("sweep", "check"), sent).status_code == 302
        sweep = Sweep.objects.get()
        shown = admin_client.get(url("sweep", "change", sweep.pk)).content.decode()
        assert "there are too many to count before" in shown
        assert admin_client.get(url("sweep", "progress", sweep.pk)).json()["expected"] is None
        assert [*sweep.work(10)] == [6]

    @pytest.mark.parametrize("fields", [{"scope": "rare"}, {"authorization_type": "rare"}])
    def test_turns(self, world, monkeypatch, fields):
        """Of SQLite's machine, for three times as many grants of which none is found."""
        if connection.vendor != "sqlite":
            pytest.skip("counts the turns of SQLite's machine")
        monkeypatch.setattr(grant_filter, "LOOK_INTO", 100)
        texts = {"scopes": '[{"scope":"rarer"}]', "authorization_details": '[{"type":"rarer"}]'}
        turns = []
        for number in (300, 600):
            for index in range(number):
                world.grant(created_at=at(index), **texts)
            turns.append(_turns(lambda: GrantFilter(world.service, **fields).look(10)))
        assert turns[1] < 1.5 * turns[0]


def at(number):
    return now() - timedelta(days=9) + timedelta(minutes=number)


def _turns(work):
    """How many hundred instructions SQLite needed."""
    counted = []
    connection.connection.set_progress_handler(lambda: counted.append(1), 100)
    try:
        work()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return len(counted)


class TestManyServices:
    """Lists of all services read of each what a page needs."""

    @pytest.fixture
    def services(self, db, monkeypatch):
        monkeypatch.setattr(keyset, "SIZE", 4)
        return [make_world(name=f"s{number}") for number in range(12)]

    def test_a_page_is_merged(self, admin_client, services):
        made = [services[number % 12].grant(created_at=at(number // 2)) for number in range(40)]
        expected = [
            grant.pk
            for grant in sorted(made, key=lambda one: (one.created_at, one.pk), reverse=True)
        ]
        found, query = [], {}
        while True:
            page = admin_client.get(url("grant", "changelist"), query).context["list"]
            found += [row.pk for row in page.rows]
            if not page.next:
                break
            query = {"after": page.next}
        assert found == expected
        back, query = [], {"before": page.previous}
        while query["before"]:
            page = admin_client.get(url("grant", "changelist"), query).context["list"]
            back = [row.pk for row in page.rows] + back
            query = {"before": page.previous}
        assert back == expected[: len(back)]

    def test_clients_of_the_same_id(self, admin_client, services):
        """Each has an `app-1`: a page does not end between two of them for ever."""
        found, query = [], {}
        while True:
            page = admin_client.get(url("client", "changelist"), query).context["list"]
            found += [row.pk for row in page.rows]
            if not page.next:
                break
            query = {"after": page.next}
        assert sorted(found) == sorted(Client.objects.values_list("pk", flat=True))
        assert page.count == 12

    def test_windows_are_shared(self, admin_client, services, monkeypatch):
        monkeypatch.setattr(keyset, "WINDOW", 12)
        monkeypatch.setattr(keyset, "LEAST", 2)
        wanted = []
        for number in range(60):
            dead = number % 7 == 0
            grant = services[number % 5].grant(
                created_at=at(number), revoked_at=now() if dead else None
            )
            wanted += [grant.pk] if dead else []
        found, query = [], {"status": "revoked"}
        for _turn in range(60):
            page = admin_client.get(url("grant", "changelist"), query).context["list"]
            found += [row.pk for row in page.rows]
            if not page.next:
                break
            query["after"] = page.next
        assert found == wanted[::-1]

    def test_statements(self, admin_client, services):
        """No more of a hundred empty services than of none."""
        services[0].grant()

        def made():
            with CaptureQueriesContext(connection) as captured:
                admin_client.get(url("grant", "changelist"))
            return len(captured)

        before = made()
        for number in range(100):
            make_world(name=f"t{number}")
        assert made() <= before + 2

    def test_suggestions_of_all(self, admin_client, services):
        services[3].client_named("apple")
        asked = admin_client.post(url("client", "suggest"), {"q": "app"}).json()
        assert asked == {"values": ["app-1", "apple"]}


def test_a_service_with_many_clients(admin_client, world, monkeypatch):
    monkeypatch.setattr(counting, "COUNT_LIMIT", 3)
    for number in range(5):
        world.client_named(f"c-{number}")
    with CaptureQueriesContext(connection) as captured:
        page = admin_client.get(url("service", "change", world.service.pk))
    assert "more than 3" in page.content.decode()
    counts = [q["sql"] for q in captured if "COUNT(" in q["sql"] and "_client" in q["sql"]]
    assert counts
    assert all("LIMIT 4" in sql for sql in counts)


def test_a_report_of_many_large_grants(admin_client, world):
    """Names and no content."""
    for number in range(20):
        world.grant(authorization_details=LARGE, subject="leaked", grant_id=f"g-{number}")
    sweep = Sweep.objects.start(
        GrantFilter(world.service, subject="leaked"), ANN, _reason(), expected=20
    )
    events = [
        GrantEvent.about("revoked", now(), ANN, service_id=world.service.pk, job=sweep.pk,
                         grant_id=f"g-{number}", details={"before": LARGE})
        for number in range(20)
    ]  # fmt: skip
    GrantEvent.objects.bulk_create(events)
    drop(admin_client.get(url("sweep", "report.json", sweep.pk)))
    tracemalloc.start()
    try:
        text = body(admin_client.get(url("sweep", "report.csv", sweep.pk)))
        assert json.loads(body(admin_client.get(url("sweep", "report.json", sweep.pk))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert text.count(b"g-") == 20
    assert peak < 2 * MB


def _reason():
    from grant_management.models import Reason

    return Reason("other")


def test_bounds_are_in_order():
    assert content.LONG < content.LISTED < content.DRAWN < content.READ
    assert Grant._meta.get_field("scopes") is not None
