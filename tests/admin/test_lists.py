"""Lists as operators use them: filters that are seen, orders, periods, jobs as one row, names."""

import html
import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grant_management.db import keyset
from grant_management.models import (
    Actor,
    Call,
    DPoPNonce,
    GrantEvent,
    GrantFilter,
    OrganizationEvent,
    Reason,
    Sweep,
    Webhook,
    WebhookDelivery,
)
from grant_management.models.sweep import LEASE

from ..exports import read_csv
from ..ours import connection
from ..world import make_world, now

ANN = Actor.operator("ann")
ARABIC = "\u0627\u0644\u0628\u0646\u0643 \u202e<b>" + "\u0645" * 189


def listing(name):
    return reverse(f"admin:grant_management_{name}_changelist")


GRANTS, EVENTS, CALLS, CLIENTS = map(listing, ("grant", "grantevent", "call", "client"))


def test_filters_say_how_many_are_chosen(admin_client, world):
    """A style sheet shows this, and hides the filters, on narrow screens."""
    said = '<details class="gm-fold-filters"{}><summary>Filters ({} chosen)</summary>'.format
    people = reverse("admin:grant_management_grant_people")
    make_world()
    for address, query, number in (
        (EVENTS, {}, 0),
        (EVENTS, {"kind": "revoked", "period": "7d"}, 2),
        (listing("webhook"), {"state": "active"}, 1),
        (people, {}, 0),
        (people, {"service": world.service.pk}, 1),
    ):
        assert said("", number) in admin_client.get(address, query).content.decode(), address
    wrong = admin_client.get(EVENTS, {"since": "nonsense"}).content.decode()
    assert said(" open", 1) in wrong


class TestFiltersInUse:
    def test_each_can_be_removed_by_itself(self, admin_client, world):
        world.grant()
        query = {"status": "active", "client": "app-1", "sort": "created", "period": "7d"}
        page = admin_client.get(GRANTS, query)
        shown = {one.name: (one.label, one.value) for one, _ in page.context["applied"]}
        assert shown == {
            "status": ("Status", "Active"),
            "client": ("Client ID", "app-1"),
            "period": ("Period", "Last 7 days"),
        }
        for one, rest in page.context["applied"]:
            left = {name for name, _ in (part.split("=") for part in rest.split("&"))}
            shown = {"typed" if name == "client" else name for name in set(query) - {one.name}}
            assert left == shown
        assert 'aria-label="Remove filter: Status Active"' in page.content.decode()
        assert page.context["bare"] == "sort=created"

    def test_a_service_by_its_name(self, admin_client, world):
        other = make_world(name="Other")
        page = admin_client.get(GRANTS, {"service": other.service.pk})
        assert [one.value for one, _ in page.context["applied"]] == ["Other"]

    def test_also_those_that_are_wrong(self, admin_client, world):
        page = admin_client.get(GRANTS, {"status": "x", "service": "77"})
        assert [one.value for one, _ in page.context["applied"]] == ["77", "x"]

    def test_a_box_is_its_label(self, admin_client, world):
        page = admin_client.get(EVENTS, {"each": "on"})
        assert [(one.label, one.value) for one, _ in page.context["applied"]] == [
            ("Each event of a job", "")
        ]

    def test_nothing_found_is_said_as_such(self, admin_client, world):
        assert "There is no grant yet" in admin_client.get(GRANTS).content.decode()
        found = admin_client.get(GRANTS, {"q": "x"}).content.decode()
        assert "No matching grants." in found


class TestOrder:
    @pytest.mark.parametrize("sort", ["", "created"])
    def test_both_ways_through_all_pages(self, admin_client, world, monkeypatch, sort):
        monkeypatch.setattr(keyset, "SIZE", 3)
        other = make_world()
        for index in range(8):
            each = (world, other)[index % 2]
            each.grant(created_at=now() - timedelta(hours=index // 3), grant_id=f"g-{index}")
        seen, query = [], {"sort": sort}
        while True:
            page = admin_client.get(GRANTS, query).context["list"]
            seen += [(row.created_at, row.pk) for row in page.rows]
            if not page.next:
                break
            query["after"] = page.next
        assert len(seen) == 8
        assert seen == sorted(seen, reverse=sort == "")

    def test_what_no_index_has_is_not_offered(self, admin_client, world):
        world.grant()
        page = admin_client.get(GRANTS)
        sortable = {head["label"] for head in page.context["heads"] if "query" in head}
        assert sortable == {"Created"}
        assert admin_client.get(GRANTS, {"sort": "expires"}).context["list"] is None

    def test_a_head_turns_it_and_says_so(self, admin_client, world):
        world.grant()
        (head,) = (one for one in admin_client.get(GRANTS).context["heads"] if "query" in one)
        assert (head["query"], head["direction"]) == ("sort=created", "descending")
        page = admin_client.get(GRANTS, {"sort": "created", "status": "active", "after": "x"})
        (head,) = (one for one in page.context["heads"] if "query" in one)
        assert (head["query"], head["direction"]) == ("status=active", "ascending")
        assert "<caption>Grants, oldest first</caption>" in page.content.decode()
        assert page.content.decode().count("aria-sort=") == 1

    def test_clients_by_name(self, admin_client, world):
        world.client_named("b", name="Zoo")
        world.client_named("a", name="Ant")
        for sort, names in (
            ("name", ["Ant", "Budget App", "Zoo"]),
            ("-name", ["Zoo", "Budget App", "Ant"]),
            ("", ["Ant", "Budget App", "Zoo"]),
            ("-client_id", ["Zoo", "Budget App", "Ant"]),
        ):
            rows = admin_client.get(CLIENTS, {"sort": sort}).context["list"].rows
            assert [row.name for row in rows] == names

    def test_what_expires_first_is_first(self, admin_client, world):
        ends = [now() + timedelta(days=days) for days in (3, 1, 2, 9)]
        made = [world.grant(expires_at=at) for at in ends]
        world.grant()
        rows = admin_client.get(GRANTS, {"expires_within": "7"}).context["list"].rows
        assert [row.pk for row in rows] == [made[1].pk, made[2].pk, made[0].pk]

    def test_what_expires_soon_of_a_client_is_found_by_the_client(self, admin_client, world):
        """By the index of what expires SQLite reads all grants of the service, for a few."""
        if connection.vendor != "sqlite":
            pytest.skip("about SQLite's choice of an index")
        made = world.grant(expires_at=now() + timedelta(days=1))
        query = {"expires_within": "7", "client": world.client.client_id}
        with CaptureQueriesContext(connection) as captured:
            rows = admin_client.get(GRANTS, query).context["list"].rows
        assert rows == [made]
        sought = [one["sql"] for one in captured if "expires_at\" > '" in one["sql"]]
        assert len(sought) == 2
        for sql in sought:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                assert "gm_grant_client" in str(cursor.fetchall())


class TestPeriods:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"period": "1h"}, {"new"}),
            ({"period": "24h"}, {"new", "hours"}),
            ({"period": "7d"}, {"new", "hours", "days"}),
            ({"period": "90d"}, {"new", "hours", "days", "weeks"}),
            ({"period": "90d", "until": "SIX DAYS AGO"}, {"weeks"}),
            ({"period": ""}, {"new", "hours", "days", "weeks", "years"}),
        ],
    )
    def test_they_end_now(self, admin_client, world, query, found):
        ages = {"new": 0, "hours": 20, "days": 24 * 5, "weeks": 24 * 60, "years": 24 * 800}
        for name, hours in ages.items():
            world.grant(created_at=now() - timedelta(hours=hours, minutes=5), grant_id=name)
        if "until" in query:
            query["until"] = (now() - timedelta(days=6)).isoformat()
        rows = admin_client.get(GRANTS, query).context["list"].rows
        assert {row.grant_id for row in rows} == found

    def test_calls_by_their_keys_too(self, admin_client, world):
        from grant_management.db.ids import uuid7

        for hours in (0, 2):
            at = now() - timedelta(hours=hours)
            Call.objects.create(pk=uuid7(at), service=world.service, at=at, code="A277001")
        assert admin_client.get(CALLS, {"period": "1h"}).context["list"].count == 1
        for edge in ("0001-01-01", "9999-12-31"):
            assert admin_client.get(CALLS, {"since": edge}).status_code == 200
            assert admin_client.get(CALLS, {"until": edge}).status_code == 200

    @pytest.mark.parametrize("kind", ["access", "refresh"])
    def test_tokens_that_were_imported_are_found_by_their_own_time(self, admin_client, world, kind):
        """Their keys are those of the import, which is later."""
        make = world.token if kind == "access" else world.refresh_token
        for days in (0, 5, 40):
            make(issued_at=now() - timedelta(days=days, minutes=1))
        tokens, edge = listing(f"{kind}token"), (now() - timedelta(days=3)).isoformat()
        for query, found in (
            ({"period": "24h"}, 1),
            ({"period": "30d"}, 2),
            ({"until": edge}, 2),
            ({"period": "30d", "until": edge}, 1),
            ({"since": (now() + timedelta(days=2)).isoformat()}, 0),
        ):
            assert admin_client.get(tokens, query).context["list"].count == found, query

    def test_jobs_by_their_start(self, admin_client, world):
        for days in (0, 5, 40):
            at = now() - timedelta(days=days, minutes=1)
            by = {"actor_kind": "operator", "actor": "ann", "subject": "user-1"}
            Sweep.objects.create(service=world.service, started_at=at, expected=1, **by)
        until = (now() - timedelta(days=3)).isoformat()
        for query, found in (({"period": "24h"}, 1), ({"period": "30d", "until": until}, 1)):
            page = admin_client.get(listing("sweep"), query)
            assert page.context["list"].count == found, query
            assert not page.context["list"].is_windowed  # an index has the starts

    def test_nonces_by_their_window(self, admin_client, world):
        for days in (0, 5):
            DPoPNonce.objects.at(world.service, now() - timedelta(days=days))
        page = admin_client.get(listing("dpopnonce"), {"period": "24h"})
        assert page.context["list"].count == 1


class TestWords:
    """A page is called as the navigation calls it, whatever its model is called."""

    def test_jobs(self, admin_client, world):
        fields = {"actor_kind": "operator", "actor": "ann", "subject": "x", "started_at": now()}
        job = Sweep.objects.create(service=world.service, expected=1, **fields)
        for name, arguments, query in (
            ("changelist", [], {}),
            ("changelist", [], {"period": "1h", "until": "2020-01-01"}),
            ("change", [job.pk], {}),
            ("history", [job.pk], {}),
        ):
            url = reverse(f"admin:grant_management_sweep_{name}", args=arguments)
            text = admin_client.get(url, query).content.decode()
            assert "evokes by filter" not in text, name
            assert "Jobs" in text.partition("breadcrumbs")[2], name
        url = reverse("admin:grant_management_sweep_changelist")
        empty = admin_client.get(url, {"until": "2020-01-01"}).content.decode()
        assert "No matching jobs." in empty

    @pytest.mark.parametrize("page", ["changelist", "add", "change", "history"])
    def test_roles(self, admin_client, db, page):
        role = Group.objects.order_by("pk").first()
        arguments = [role.pk] if page in ("change", "history") else []
        url = reverse(f"admin:auth_group_{page}", args=arguments)
        text = admin_client.get(url).content.decode()
        # The names of permissions are stored by Django.
        shown = re.sub(
            r"<select.*?</select>|<[^>]*>", " ", text.partition("breadcrumbs")[2], flags=re.S
        )
        assert not re.search(r"\b[Gg]roups?\b", shown)

    def test_a_webhook_is_enabled_as_a_stream_is(self, admin_client, world):
        Webhook.objects.create(service=world.service, url="https://a.example/", created_at=now())
        text = admin_client.get(listing("webhook")).content.decode()
        assert "</span> Enabled</span>" in text


class TestJobs:
    @pytest.fixture
    def job(self, world):
        for _ in range(5):
            world.grant(subject="user-9")
        world.grant().revoke(ANN, Reason("other", "", "T-2"))
        sweep = Sweep.objects.start(
            GrantFilter(world.service, subject="user-9"), ANN, Reason("other", "", "T-1")
        )
        sweep.claim()
        assert sum(sweep.work(2)) == 5
        return sweep

    def kinds(self, admin_client, **query):
        rows = admin_client.get(EVENTS, query).context["list"].rows
        return sorted(row.kind for row in rows)

    def test_a_job_is_one_row_that_opens(self, admin_client, job):
        page = admin_client.get(EVENTS)
        assert sorted(row.kind for row in page.context["list"].rows) == ["job_started", "revoked"]
        (url,) = re.findall(r'<a href="([^"]+)">5 grants</a>', page.content.decode())
        rows = admin_client.get(url.replace("&amp;", "&")).context["list"].rows
        assert len(rows) == 7
        assert {row.job for row in rows} == {job.pk}

    def test_each_where_single_events_are_looked_for(self, admin_client, job):
        assert self.kinds(admin_client, each="on").count("revoked") == 6
        assert self.kinds(admin_client, q="user-9").count("revoked") == 5
        assert self.kinds(admin_client, kind="revoked").count("revoked") == 6
        assert self.kinds(admin_client, actor_kind="operator") == ["job_started", "revoked"]

    def test_by_ticket(self, admin_client, job):
        assert self.kinds(admin_client, ticket="T-1") == ["job_started"]
        assert self.kinds(admin_client, ticket="T-1", each="on").count("revoked") == 5
        assert self.kinds(admin_client, ticket="T-2") == ["revoked"]
        assert self.kinds(admin_client, ticket="T") == []

    def test_the_pages_of_a_job(self, admin_client, job, monkeypatch):
        monkeypatch.setattr(keyset, "SIZE", 3)
        seen, query = [], {"job": str(job.pk)}
        while True:
            page = admin_client.get(EVENTS, query).context["list"]
            seen += [row.pk for row in page.rows]
            if not page.next:
                break
            query["after"] = page.next
        assert seen == sorted(seen, reverse=True)
        assert len(set(seen)) == 7

    def test_a_cut_off_is_the_head_of_its_job(self, admin_client, world):
        world.grant()
        wanted = GrantFilter(world.service, created_before=now())
        sweep = Sweep.objects.start(wanted, ANN, Reason("other"))
        sweep.claim()
        assert sum(sweep.work(10)) == 1
        assert self.kinds(admin_client) == ["cut_off"]

    def test_an_act_without_a_sweep_has_its_first_event_as_the_head(self, admin_client, world):
        about = {"service_id": world.service.pk}
        first = GrantEvent.about("revoked", now(), ANN, **about)
        first.job = first.pk
        GrantEvent.objects.bulk_create(
            [first, GrantEvent.about("revoked", now(), ANN, job=first.pk, **about)]
        )
        rows = admin_client.get(EVENTS).context["list"].rows
        assert [row.pk for row in rows] == [first.pk]

    def test_an_export_has_all_events_of_a_job(self, admin_client, job):
        export = reverse("admin:grant_management_grantevent_export_csv")
        rows = read_csv(admin_client.get(export))
        assert [row["kind"] for row in rows].count("revoked") == 6
        assert "An export has them all" in admin_client.get(EVENTS).content.decode()

    def test_the_page_of_a_job_says_how_far_it_is(self, admin_client, job):
        url = reverse("admin:grant_management_sweep_change", args=[job.pk])
        page = admin_client.get(url).content.decode()
        assert "5 grants were revoked" in page
        assert re.search(r'<progress [^>]*max="1" value="1"', page)
        job.expected, job.finished_at, job.revoked = 20_000, None, 12_345
        job.worked_at = now()
        job.save()
        page = admin_client.get(url).content.decode()
        assert "12,345 revoked; there are too many to count before" in page
        assert not re.search(r"<progress [^>]*value", page)
        for stamps in ({"paused_at": now()}, {"worked_at": now() - LEASE}):  # paused, stopped
            Sweep.objects.filter(pk=job.pk).update(**stamps)
            page = admin_client.get(url).content.decode()
            assert re.search(r'<progress [^>]*max="1" value="0"', page)
            Sweep.objects.filter(pk=job.pk).update(paused_at=None)
        job.expected, job.revoked = 9_876, 1_234
        job.save()
        page = admin_client.get(url).content.decode()
        assert "1,234 revoked of 9,876" in page
        assert re.search(r'<progress [^>]*max="9876" value="1234"', page)


class TestNames:
    def test_long_ones_and_those_from_right_to_left(self, admin_client, world):
        world.client.name = ARABIC
        world.client.save()
        world.grant(subject="x" * 64)
        page = admin_client.get(GRANTS).content.decode()
        assert f'<bdi class="gm-long">{"x" * 64}</bdi>' in page
        assert "&lt;b&gt;" in page
        assert f'<bdi class="gm-long">{ARABIC[:6]}' in page

    def test_clients_by_a_part_of_their_name(self, admin_client, world):
        world.client_named("zoo", name="The BUDGET thing")
        for term, found in (("budget", 2), ("APP-1", 1), ("oo", 1), ("none", 0), ("%", 0)):
            assert admin_client.get(CLIENTS, {"q": term}).context["list"].count == found, term

    def test_each_copy_button_has_a_name_of_its_own(self, admin_client, world):
        for number in range(20):
            grant = world.grant()
            world.token(grant, jkt=f"{number:043d}")
            grant.record("created", now(), ANN)
        for name in ("grantevent", "accesstoken"):
            page = admin_client.get(listing(name)).content.decode()
            names = re.findall(r'class="gm-copy"[^>]*aria-label="([^"]+)"', page)
            assert len(names) == len(set(names)) == 20
            assert all(one.startswith("Copy ") for one in names)

    def test_one_value_is_one_cell_on_a_phone(self, admin_client, world):
        """Each cell has its label, and the one that leads is the head of its row."""
        world.grant()
        page = admin_client.get(GRANTS).content.decode()
        assert re.search(r'<th scope="row" data-label="Grant"><a href="[^"]+"><code', page)
        assert page.count("<td data-label=") == 8


def plan(sql, parameters=()):
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", parameters)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@pytest.mark.parametrize("way", ["after", "before"])
def test_the_next_page_starts_in_the_index(admin_client, world, way):
    """As one range of it, without sorting: by a comparison of rows."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads a table of a few rows whole; see tests/scale")
    grant = world.grant()
    ordered = keyset.Ordered(
        type(grant).objects.filter(service__in=[world.service.pk]), ("-created_at", "-pk")
    )
    ahead = ordered.backwards() if way == "before" else ordered
    rows = ahead.beyond([grant.created_at, grant.pk]).rows.order_by(*ahead.order)[:51]
    said = plan(*rows.query.sql_with_params())
    assert "gm_grant_newest (service_id=? AND (created_at,id)" in said
    assert "TEMP B-TREE" not in said


HEADS = "gm_event_heads", {}
TICKET = "gm_event_ticket_heads", {"ticket": "T-1"}
EACH = "gm_event_ticket", {"ticket": "T-1", "each": "on"}
JOB = "gm_event_job", {"job": "00000000-0000-7000-8000-000000000001"}


@pytest.mark.parametrize(("index", "query"), [HEADS, TICKET, EACH, JOB], ids=json.dumps)
def test_grouped_events_have_an_index(admin_client, world, index, query):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads a table of a few rows whole; see tests/scale")

    with CaptureQueriesContext(connection) as captured:
        admin_client.get(EVENTS, {"service": world.service.pk, **query})
    pages = [
        one["sql"]
        for one in captured
        if 'FROM "grant_management_grantevent"' in one["sql"] and "LIMIT 51" in one["sql"]
    ]
    said = plan(pages[-1])
    assert f"INDEX {index} (" in said
    assert "TEMP B-TREE" not in said


class TestWhatIsLong:
    """What one grant holds: readable at once, all of it one click away."""

    def page(self, admin_client, grant):
        url = reverse("admin:grant_management_grant_change", args=[grant.pk])
        return admin_client.get(url).content.decode()

    def test_many_scopes(self, admin_client, world):
        names = [f"scope-{n:03d}" for n in range(300)]
        grant = world.grant(scopes=json.dumps([{"scope": " ".join(names)}]))
        page = self.page(admin_client, grant)
        assert [name for name in names if f"<li><code>{name}</code>" in page] == names
        assert "<summary>280 more</summary>" in page
        assert "holds more than fits here" not in page

    def test_more_scopes_than_a_page_shows(self, admin_client, world):
        names = " ".join(f"s{n}" for n in range(501))
        page = self.page(admin_client, world.grant(scopes=json.dumps([{"scope": names}])))
        assert "holds more than fits here" in page
        assert "<code>s500</code>" not in page

    def test_long_details_are_closed(self, admin_client, world):
        details = [{"type": "short", "n": 1}, {"type": "long", "text": "x" * 5_000}]
        page = self.page(admin_client, world.grant(authorization_details=json.dumps(details)))
        cards = re.findall(r'<details class="gm-card"( open)?><summary><h3><bdi [^>]*>(\w+)', page)
        assert cards == [(" open", "short"), ("", "long")]

    def test_a_page_of_200_kb_of_details(self, admin_client, world):
        details = [{"type": f"t{n}", "text": "y" * 4_000} for n in range(50)]
        page = self.page(admin_client, world.grant(authorization_details=json.dumps(details)))
        assert len(page) < 100_000

    def test_ten_thousand_tokens(self, admin_client, world, django_assert_max_num_queries):
        from grant_management.models import AccessToken

        grant = world.grant()
        world.token(grant)
        first = AccessToken.objects.get()
        made = []
        for number in range(10_000):
            values = {f.attname: getattr(first, f.attname) for f in AccessToken._meta.fields}
            del values["id"]
            made.append(AccessToken(**values | {"digest": number.to_bytes(32)}))
        AccessToken.objects.bulk_create(made, batch_size=500)
        page = self.page(admin_client, grant)
        assert len(page) < 100_000
        with django_assert_max_num_queries(14):
            listed = admin_client.get(listing("accesstoken"), {"q": grant.grant_id})
        assert len(listed.context["list"].rows) == 50
        assert listed.context["list"].next


OURS = [
    "grant",
    "client",
    "accesstoken",
    "refreshtoken",
    "grantevent",
    "call",
    "sweep",
    "dpopnonce",
]


@pytest.mark.parametrize("name", OURS)
def test_keys_are_found_in_one_table(client, world, django_user_model, name):
    """Beside a small table SQLite begins with that, and reads all rows of a service. Also for an
    operator who sees one organization.
    """
    from django.contrib.auth.models import Permission

    from ..test_roles import fill
    from ..world import make_operator

    fill(world)
    user = make_operator(django_user_model, organization=world.service.organization)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="grant_management"))
    client.force_login(user)
    with CaptureQueriesContext(connection) as captured:
        page = client.get(listing(name), {"service": world.service.pk})
    assert page.context["list"].rows
    found = [one["sql"] for one in captured if "LIMIT 51" in one["sql"]]
    assert len(found) == 1
    assert " JOIN " not in found[0]
    (read,) = (
        one["sql"] for one in captured if " JOIN " in one["sql"] and '."id" IN (' in one["sql"]
    )
    assert "LIMIT" not in read
    table, listed = f'"grant_management_{name}"', r"\([^()]*\)"
    sign = r"\+" if connection.vendor == "sqlite" else ""  # no index answers it
    named = rf'{table}."id" IN {listed} AND {sign}{table}."service_id" IN {listed}'
    assert re.search(rf"WHERE \({named}\) ORDER", read)


@pytest.mark.parametrize("name", ["organizationevent", "webhookdelivery"])
def test_a_list_that_grows_is_sorted_by_its_index_alone(admin_client, world, name):
    """Of these lists, which are Django's: by another column a database sorts all rows."""
    from ..test_roles import fill

    fill(world)

    def order_of(page):
        """Django names a column again where it is in the order already."""
        return list(dict.fromkeys(page.context["cl"].queryset.query.order_by))

    first = order_of(admin_client.get(listing(name)))
    for order in ("1", "2", "-3.2"):
        page = admin_client.get(listing(name), {"o": order})
        assert order_of(page) == first
        assert "sortable" not in page.content.decode()


def _many(world):
    """One more than two pages of each list."""
    webhook = Webhook.objects.create(
        service=world.service, created_at=now(), url="https://a.example"
    )
    for number in range(2 * keyset.SIZE + 1):
        fields = {"type": "x", "number": number, "created_at": now()}
        WebhookDelivery.objects.create(webhook=webhook, event=uuid4(), **fields)
        OrganizationEvent.objects.record("imported", world.service.organization_id, now(), ANN)


def _next(page, rel="next"):
    found = re.search(rf'<a rel="{rel}" href="([^"]+)"', page.content.decode())
    return html.unescape(found[1]) if found else None


@pytest.mark.parametrize(
    ("name", "query"),
    [("organizationevent", "?kind=imported"), ("webhookdelivery", "?webhook__id__exact={}")],
)
def test_a_list_that_grows_is_paged_by_key(admin_client, world, name, query):
    _many(world)
    query = query.format(Webhook.objects.get().pk)
    keys, link = [], query
    with CaptureQueriesContext(connection) as captured:
        while link:
            page = admin_client.get(listing(name) + link)
            keys += [row.pk for row in page.context["cl"].result_list]
            link = _next(page)
            assert link is None or query[1:] in link
    assert len(keys) == len(set(keys)) == 2 * keyset.SIZE + 1
    assert keys == sorted(keys, reverse=True)
    assert "OFFSET" not in " ".join(one["sql"] for one in captured)
    first = admin_client.get(listing(name) + _next(page, "prev"))
    assert [row.pk for row in first.context["cl"].result_list] == keys[keyset.SIZE : -1]
    assert f"{2 * keyset.SIZE + 1} " in page.content.decode()


@pytest.mark.parametrize("name", ["organizationevent", "webhookdelivery"])
def test_a_cursor_that_is_none_leads_to_the_first_page(admin_client, world, name):
    from ..test_roles import fill

    fill(world)
    for cursor in ("x", "[1]", '["x"]'):
        page = admin_client.get(listing(name), {"after": cursor})
        assert page.context["cl"].result_list
