"""Exports: all that the page means, whole or an error, in flat memory; and nothing that a
spreadsheet runs.
"""

import csv
import http.client
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.urls import reverse

from grant_management.admin.kit import export
from grant_management.admin.kit.export import as_csv_line, csv_lines, json_lines
from grant_management.db import counting, keyset
from grant_management.models import (
    Actor,
    Call,
    Grant,
    GrantEvent,
    OrganizationEvent,
    OrganizationMember,
    Sweep,
)

from ..exports import body, drop, read_csv, read_json_lines
from ..ours import connection
from ..postgresql import start as start_postgresql
from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    ROOT,
    environment,
    free_port,
    manage,
    post,
    seed,
    wait_for,
)
from ..world import make_world, now

GRANTS = reverse("admin:grant_management_grant_export_csv")
EVENTS = reverse("admin:grant_management_grantevent_export_csv")
EVENT_LINES = reverse("admin:grant_management_grantevent_export_jsonl")
ANN = Actor.operator("ann")


def record(world, number=1, **fields):
    about = {"service_id": world.service.pk} | fields
    GrantEvent.objects.bulk_create(
        [GrantEvent.about("revoked", now(), ANN, **about) for _ in range(number)]
    )


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(export, "TURN", 3)
    for module in ("kit.list_export", "grant_event", "sweep_report"):
        monkeypatch.setattr(f"grant_management.admin.{module}.TURN", 3)


class TestWhichServices:
    """The page, its count and its export mean the same services, and say which."""

    @pytest.fixture
    def two(self, db):
        """The first by name has nothing."""
        empty, full = make_world(name="A first one"), make_world(name="Z")
        for number in range(7):
            full.grant(grant_id=f"g-{number}")
        record(full, 7)
        return empty, full

    def test_no_term_and_no_service_is_all(self, admin_client, two, small):
        _, full = two
        assert {row["grant_id"] for row in read_csv(admin_client.get(GRANTS))} == {
            f"g-{number}" for number in range(7)
        }
        for rows in (
            read_csv(admin_client.get(EVENTS)),
            read_json_lines(admin_client.get(EVENT_LINES)),
        ):
            assert len(rows) == 7
            assert {int(row["service_id"]) for row in rows} == {full.service.pk}

    @pytest.mark.parametrize("model", ["grant", "grantevent"])
    def test_the_page_its_count_and_its_export_agree(self, admin_client, two, model, small):
        listing = reverse(f"admin:grant_management_{model}_changelist")
        empty, full = two
        empty.grant(grant_id="other", subject="user-9")
        record(empty, 2, subject="user-9")
        for query in (
            {},
            {"service": empty.service.pk},
            {"service": full.service.pk},
            {"q": "user-9"},
            {"q": "user-9", "service": full.service.pk},
            {"service": ""},
        ):
            page = admin_client.get(listing, query)
            exported = GRANTS if model == "grant" else EVENTS
            rows = read_csv(admin_client.get(exported, query))
            shown = page.context["list"]
            assert len(rows) == shown.count == len(shown.rows), query
            key = "grant_id" if model == "grant" else "id"
            names = {row.grant_id if model == "grant" else str(row.pk) for row in shown.rows}
            assert {row[key] for row in rows} == names

    def test_the_button_exports_what_is_shown(self, admin_client, two):
        page = admin_client.get(reverse("admin:grant_management_grant_changelist"), {"q": "g-1"})
        form = re.search(
            r'<form method="post" action="[^"]*" class="gm-filters".*?</form>',
            page.content.decode(),
            re.DOTALL,
        ).group()
        (url,) = re.findall(r'formaction="([^"]+export.csv)"', form)
        sent = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', form))
        sent |= dict(re.findall(r'<input[^>]* value="([^"]*)"[^>]* name="(\w+)"', form))
        assert [row["grant_id"] for row in read_csv(admin_client.post(url, sent))] == ["g-1"]

    def test_none_is_chosen_before_somebody_chooses(self, admin_client, two):
        page = admin_client.get(reverse("admin:grant_management_grant_changelist"))
        text = page.content.decode()
        assert "7 found in all 2 services" in text
        assert not re.search(r"<option[^>]+selected[^>]*>(A first one|Z)<", text)
        assert '<th scope="col">Service</th>' in text

    def test_an_operator_exports_no_more_than_is_seen(self, client, django_user_model, two):
        empty, full = two
        user = django_user_model.objects.create_superuser("root")
        user.is_superuser = False
        user.save()
        user.user_permissions.set(Permission.objects.all())
        OrganizationMember.objects.create(user=user, organization=empty.service.organization)
        client.force_login(user)
        assert read_csv(client.get(GRANTS)) == []
        assert read_csv(client.get(EVENTS)) == []
        assert client.get(GRANTS, {"service": full.service.pk}).status_code == 400

    def test_what_cannot_be_read_is_said_and_exports_nothing(self, admin_client, two):
        for query in ({"service": "1"}, {"status": "x"}, {"since": "yesterday"}):
            refused = admin_client.get(GRANTS, query)
            assert refused.status_code == 400
            assert "Content-Disposition" not in refused
            assert "errorlist" in refused.content.decode()

    def test_the_order_is_that_of_the_list(self, admin_client, two):
        names = [
            [row["grant_id"] for row in read_csv(admin_client.get(GRANTS, {"sort": sort}))]
            for sort in ("", "created")
        ]
        assert names[0] == names[1][::-1]

    def test_a_page_learns_that_its_file_came(self, admin_client, two):
        values = {admin_client.get(EVENTS).cookies["grant_management_file"].value for _ in "ab"}
        assert len(values) == 2


CHOOSE = reverse("admin:grant_management_grant_columns")


def header(response):
    return body(response).decode("utf-8-sig").splitlines()[0].replace('"', "").split(",")


class TestColumns:
    """A file has the columns that its operator sees, and the keys that a page has as a link."""

    def test_those_that_are_shown_at_first(self, admin_client, world):
        world.grant()
        assert header(admin_client.get(GRANTS)) == [
            "status", "grant_id", "service_id", "subject", "client_id", "scopes",
            "authorization_types", "created_at", "last_used_at", "expires_at",
        ]  # fmt: skip
        assert header(admin_client.get(EVENTS)) == [
            "id", "service_id", "kind", "at", "actor_kind", "actor", "actor_id", "client_id",
            "subject", "grant_id", "job", "reason", "ticket",
        ]  # fmt: skip

    def test_those_that_were_chosen(self, admin_client, client, django_user_model, world):
        grant = world.grant(revoked_at=now())
        admin_client.post(CHOOSE, {"column": ["revoked", "client"]})
        (row,) = read_csv(admin_client.get(GRANTS))
        names = ["grant_id", "service_id", "subject", "client_id", "revoked_at"]
        assert list(row) == names
        assert row["grant_id"] == grant.grant_id
        assert row["revoked_at"].endswith("+00:00")
        client.force_login(django_user_model.objects.create_superuser("other"))
        assert "scopes" in header(client.get(GRANTS))

    def test_lines_of_json_have_all_fields(self, admin_client, world):
        record(world, note="because")
        columns = reverse("admin:grant_management_grantevent_columns")
        admin_client.post(columns, {"column": "at"})
        (row,) = read_json_lines(admin_client.get(EVENT_LINES))
        assert row["note"] == "because"
        assert row["details"] == {}
        assert header(admin_client.get(EVENTS)) == ["id", "service_id", "kind", "at"]

    def test_events_of_organizations(self, admin_client, world):
        number = world.service.organization_id
        OrganizationEvent.objects.record(
            "imported", number, now(), ANN, details={"source": "x.jsonl"}, reason="other"
        )
        url = reverse("admin:grant_management_organizationevent_export_csv")
        (row,) = read_csv(admin_client.get(url))
        assert (row["about"], row["reason"]) == ("x.jsonl", "other")
        columns = reverse("admin:grant_management_organizationevent_columns")
        admin_client.post(columns, {"column": ["note", "when"]})
        assert header(admin_client.get(url)) == ["id", "kind", "at", "note"]

    def test_each_column_of_a_list_is_in_its_export(self):
        """Also of Django's own lists: by its name a column finds its fields."""
        pages = {
            model: page
            for model, page in site._registry.items()
            if getattr(page, "file_name", "") or getattr(page, "exported", {})
        }
        assert {"grant", "organizationevent"} <= {model._meta.model_name for model in pages}
        left = {
            (model._meta.model_name, str(column.label))
            for model, page in pages.items()
            for column in page.columns
            if not column.exported
        }
        assert left == set()

    @pytest.mark.parametrize("model", ["call", "client", "accesstoken", "refreshtoken", "sweep"])
    def test_each_large_list_has_one(self, admin_client, world, model):
        """Of each row the fields of every column."""
        rows = {
            "call": lambda: Call.objects.create(service=world.service, code="A281305", at=now()),
            "client": lambda: world.client,
            "accesstoken": lambda: world.token(world.grant()),
            "refreshtoken": lambda: world.refresh_token(world.grant()),
            "sweep": lambda: Sweep.objects.create(
                service=world.service, subject="x", actor_kind="operator", actor="ann",
                started_at=now(), expected=7,
            ),
        }  # fmt: skip
        rows[model]()
        pages = site._registry[apps.get_model("grant_management", model)]
        keys = [column.key for column in pages.columns if column.key]
        admin_client.post(pages.url("columns"), {"column": keys})
        (row,) = read_csv(admin_client.get(pages.url("export_csv")))
        every = [name for column in pages.columns for name in column.exported]
        assert list(row) == every
        assert all(column.exported for column in pages.columns)
        assert row["service_id"] == str(world.service.pk)


class TestTurns:
    @pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 6, 7])
    def test_each_row_once(self, admin_client, world, small, number):
        """Also those of one moment; and of more than one service."""
        at, other = now(), make_world()
        for each in (world, other):
            for index in range(number):
                each.grant(grant_id=f"g-{index}", created_at=at + timedelta(hours=index // 2))
        rows = [(row["service_id"], row["grant_id"]) for row in read_csv(admin_client.get(GRANTS))]
        assert len(rows) == len(set(rows)) == 2 * number

    def test_what_no_index_finds_is_found_in_all(self, admin_client, world, small):
        for number in range(20):
            world.grant(revoked_at=now() if number % 6 == 0 else None)
        assert len(read_csv(admin_client.get(GRANTS, {"status": "revoked"}))) == 4
        assert len(read_csv(admin_client.get(GRANTS, {"status": "active"}))) == 16

    def test_a_turn_is_a_statement_of_its_own(self, admin_client, world, small, monkeypatch):
        """No cursor of the server stays open, in a transaction or out of one: PgBouncer gives each
        transaction another connection, and SQLite would keep writers waiting.
        """
        monkeypatch.setattr(connection, "chunked_cursor", None)
        for _ in range(7):
            world.grant()
        record(world, 7, job="00000000-0000-7000-8000-000000000001")
        assert len(read_csv(admin_client.get(GRANTS))) == 7
        assert len(read_csv(admin_client.get(EVENTS))) == 7
        sweep = Sweep.objects.create(
            pk="00000000-0000-7000-8000-000000000001", service=world.service, subject="x",
            actor_kind="operator", actor="ann", started_at=now(), expected=7,
        )  # fmt: skip
        for name, read in (("csv", read_csv), ("json", body)):
            report = reverse(f"admin:grant_management_sweep_report.{name}", args=[sweep.pk])
            assert read(admin_client.get(report))

    def test_an_export_of_large_grants_is_flat(self, admin_client, world):
        """Thirty grants of 300 KB, and their events, with no more than a few in memory."""
        big = json.dumps([{"type": "a", "x": "y" * 300_000}])
        for number in range(30):
            world.grant(authorization_details=big, grant_id=f"g-{number}")
            record(world, grant_id=f"g-{number}", details={"after": big})
        assert len(read_csv(admin_client.get(GRANTS))) == 30  # whatever is loaded once is loaded
        peak = {}
        for name, url in (("grants", GRANTS), ("events", EVENTS), ("lines", EVENT_LINES)):
            tracemalloc.start()
            drop(admin_client.get(url))
            peak[name] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak["grants"] < 2_000_000, peak
        assert peak["events"] < 8_000_000, peak
        assert peak["lines"] < 8_000_000, peak


class TestWhole:
    """A whole file says so; one that fails on the way is an error, not a shorter file."""

    def test_the_last_record(self):
        assert list(json_lines(["{}", "{}"]))[-1] == '{"type":"end","records":2}\n'
        assert list(json_lines([])) == ['{"type":"end","records":0}\n']
        assert list(csv_lines(("a", "b", "c"), [(1, 2, 3)]))[-1] == '"end","1",""\r\n'
        assert list(csv_lines(("a", "b"), [])) == ['\ufeff"a","b"\r\n', '"end","0"\r\n']

    @pytest.mark.parametrize("url", [GRANTS, EVENTS, EVENT_LINES])
    def test_it_says_how_long_it_is(self, admin_client, world, url):
        world.grant()
        record(world)
        response = admin_client.get(url)
        assert int(response["Content-Length"]) == len(body(response))

    def test_a_long_one_goes_through_the_disk(self, admin_client, world, monkeypatch):
        monkeypatch.setattr(export, "BLOCK", 1_000)
        monkeypatch.setattr(export.Attachment, "block_size", 1_000)
        record(world, 50)
        response = admin_client.get(EVENTS)
        assert len(read_csv(response)) == 50
        drop(response)

    @pytest.mark.parametrize("place", ["first", "last"])
    def test_a_failure_on_the_way_sends_nothing(self, client, admin_user, world, small, place):
        """A row that cannot be read, after some that were."""
        client.force_login(admin_user)
        client.raise_request_exception = False
        for number in range(7):
            world.grant(created_at=now() - timedelta(hours=number))
        rows = Grant.objects.order_by("created_at")
        broken = rows.last() if place == "first" else rows.first()
        Grant.objects.filter(pk=broken.pk).update(scopes="not JSON")
        response = client.get(GRANTS)
        assert response.status_code == 500
        assert "Content-Disposition" not in response


class TestSpreadsheets:
    @pytest.mark.parametrize(
        "value",
        [
            "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\n\n =1", " =1", "\u00a0=1",
            "\u200b=1", "\ufeff=1", "\x00=1", "\tx", "\nx", "\rx", "\uff1d1+1", "\uff0b1 1",
            "\uff0d1 1", "\uff20SUM(A1)", " \uff1d1", "\u3000=1", "\v=1", "\f=1", "\x85=1",
        ],
    )  # fmt: skip
    def test_a_formula_is_text(self, value):
        (row,) = csv.reader(io.StringIO(as_csv_line([value, "x"]), newline=""))
        assert row == [f"'{value}", "x"]

    @pytest.mark.parametrize(
        "value", ["-aB3_x~y.z", "a=1", "x;=cmd", "1-1", "ünder", "", " ", "a b"]
    )
    def test_anything_else_stays_what_it_is(self, value):
        (row,) = csv.reader(io.StringIO(as_csv_line([value, "x"]), newline=""))
        assert row == [value, "x"]

    def test_each_value_is_in_quotes(self):
        """A spreadsheet that separates by semicolons sees none of them in `x;=cmd`."""
        line = as_csv_line(["x;=cmd", 'say "hi"', None, 5, "a\nb"])
        assert line == '"x;=cmd","say ""hi""","","5","a\nb"\r\n'

    def test_in_a_file(self, admin_client, world):
        world.grant(subject="\n=cmd|' /C calc'!A0")
        (row,) = read_csv(admin_client.get(GRANTS))
        assert row["subject"] == "'\n=cmd|' /C calc'!A0"


class TestCountsOfAllServices:
    def test_it_is_bounded(self, admin_client, monkeypatch, db):
        monkeypatch.setattr(counting, "COUNT_LIMIT", 5)
        monkeypatch.setattr(keyset, "COUNTED", 1)
        worlds = [make_world(name=str(number)) for number in range(4)]
        for number, world in enumerate(worlds, 1):
            for _ in range(2):
                world.grant()
            page = admin_client.get(reverse("admin:grant_management_grant_changelist"))
            assert page.context["list"].count == min(2 * number, 6)


SECRET = "only-for-tests-" + "x" * 40
LOGIN = """
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY
user = get_user_model().objects.create_superuser("root", password=None)
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
print("session", session.session_key)
"""
FILL = """
from grant_management.models import Actor, GrantEvent, Service
from django.utils import timezone
service = Service.objects.get(pk=1001)
GrantEvent.objects.bulk_create(
    GrantEvent.about("revoked", timezone.now(), Actor.operator("ann"), service_id=1001, note="n" * 1000)
    for _ in range(12_000)
)
"""
BREAK = """
from grant_management.models import Grant
Grant.objects.update(scopes="not JSON")
"""


class TestRealServer:
    """With the server of the standalone project, over a connection."""

    @pytest.fixture
    def served(self, request, tmp_path):
        """Its port, its process and the cookie of somebody who has logged in."""
        url = self._database(request, tmp_path)
        seed(url, tmp_path)
        env = {"DATABASE_URL": url, "SECRET_KEY": SECRET}
        said = manage("shell", "-c", LOGIN, **env)
        session = re.search(r"session (\w+)", said).group(1)
        port = free_port()
        line = [sys.executable, "-m", "gm_project.serving", "127.0.0.1", str(port), "1"]
        process = subprocess.Popen(
            line, cwd=ROOT, env=environment(**env), stdout=subprocess.DEVNULL
        )
        try:
            wait_for(port)
            cookie = f"sessionid={session}"
            yield port, process, cookie, lambda code: manage("shell", "-c", code, **env)
        finally:
            workers = psutil.Process(process.pid).children(recursive=True)
            for one in (process, *workers):
                one.kill()
            process.wait(timeout=30)

    def _database(self, request, tmp_path):
        if connection.vendor != "postgresql":
            return f"sqlite:///{tmp_path / 'own.sqlite3'}"
        folder = Path(tempfile.mkdtemp(prefix="gm-exports-"))
        request.addfinalizer(lambda: shutil.rmtree(folder, ignore_errors=True))
        server = start_postgresql(folder)
        request.addfinalizer(server.cleanup)
        return server.get_uri()

    @contextmanager
    def ask(self, port, path, cookie):
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with closing(asked):
            asked.request("GET", path, headers={"Cookie": cookie})
            with asked.getresponse() as response:
                yield response

    def test_a_whole_one(self, db, served):
        port, _, cookie, run = served
        run(FILL)
        with self.ask(port, EVENT_LINES, cookie) as response:
            data = response.read()
        assert response.status == 200
        assert len(read_json_lines(data)) == 12_001  # and one of the import
        assert response.getheader("Content-Length") == str(len(data))

    def test_one_that_fails_midway_is_an_error(self, db, served):
        port, _, cookie, run = served
        run(BREAK)
        with self.ask(port, GRANTS, cookie) as response:
            assert response.status == 500
            assert b"grant_id" not in response.read()
        assert response.getheader("Content-Disposition") is None

    def test_one_that_is_cut_off_is_seen_to_be(self, db, served):
        """The server ends in the middle of it: the transfer breaks off."""
        port, process, cookie, run = served
        run(FILL)
        with self.ask(port, EVENT_LINES, cookie) as response:
            assert response.read(1_000)
            for worker in psutil.Process(process.pid).children(recursive=True):
                worker.kill()
            with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
                response.read()

    def test_a_reader_who_does_not_read_does_not_stop_the_api(self, db, served):
        """On SQLite too, where one thread would be the only one."""
        port, _, cookie, run = served
        run(FILL)
        with self.ask(port, EVENT_LINES, cookie) as response:
            assert response.read(1_000)
            for _ in range(20):
                assert post(port, PATH, API_TOKEN, QUERY)[1]["action"] == "OK"
