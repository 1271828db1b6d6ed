"""The overview: its figures are those of the lists that they lead to, and what is not counted says so."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from grant_management.admin import overview_logs
from grant_management.db import counting
from grant_management.db.ids import first_uuid7
from grant_management.models import (
    Actor,
    Call,
    DailyCount,
    GrantEvent,
    Reason,
    Service,
    Tally,
)

from ..world import later, make_world, now

OVERVIEW = reverse("admin:grant_management_dailycount_changelist")
ANN = Actor.operator("ann")


@pytest.fixture
def lived(world):
    """A service with a past, which keeps a log of its calls."""
    Service.objects.update(call_log_size=100)
    for number in range(4):
        world.grant(expires_at=now() + timedelta(days=2) if number else None)
    world.grant().revoke(ANN, Reason("other"))
    for days in (0, 1, 1, 40):
        record(world, "created", days)
    for code in ("A277001", "A280301", "A280301"):
        Call.objects.create(service=world.service, at=now(), code=code, client_id="app-1")
    later(Tally.count_events)
    return world


def record(world, kind, days, client_id="app-1"):
    at = now() - timedelta(days=days)
    GrantEvent.objects.record(
        kind, world.service.pk, at, Actor.client(client_id), client_id=client_id
    )


def figures(page):
    return [figure.number for figure, _ in page.context["figures"]]


def rows(admin_client, url):
    return admin_client.get(url).context["list"].rows


def test_each_figure_is_the_count_of_its_list(admin_client, lived):
    page = admin_client.get(OVERVIEW)
    assert figures(page) == ["4", "1", "2", "3"]
    for figure, url in page.context["figures"]:
        assert admin_client.get(url).context["list"].count == int(figure.number), url


def test_the_purge_backlog_is_a_number_alone(admin_client, lived):
    """No list has expired tokens alone, so there is none that it could lead to."""
    lived.token(expires_at=now() - timedelta(days=1))
    text = admin_client.get(OVERVIEW).content.decode()
    assert "<p>1 expired access tokens." in text


@pytest.mark.parametrize("period", ["24h", "7d", "30d", "90d"])
@pytest.mark.parametrize("name", ["grants_chart", "calls_chart"])
def test_each_number_of_a_chart_is_the_count_of_its_list(admin_client, lived, name, period):
    chart = admin_client.get(OVERVIEW, {"period": period}).context[name]
    assert len(chart.places) == {"24h": 24, "7d": 7, "30d": 30, "90d": 90}[period]
    assert chart.total > 0
    for row in chart.table():
        for cell in row["cells"]:
            if int(cell["number"]):
                listed = admin_client.get(cell["url"]).context["list"]
                assert listed.count == int(cell["number"]), cell["url"]


def test_the_periods_of_the_charts(admin_client, lived):
    totals = {
        period: admin_client.get(OVERVIEW, {"period": period}).context["grants_chart"].total
        for period in ("24h", "7d", "30d", "90d", "")
    }
    assert totals["24h"] >= 2  # that of yesterday may be in it
    assert (totals["7d"], totals["30d"], totals["90d"], totals[""]) == (4, 4, 5, 4)


def test_of_one_client(admin_client, lived):
    other = lived.client_named("other")
    lived.grant(client=other)
    record(lived, "created", 0, "other")
    counted = {"day": now().date(), "kind": "created", "number": 1, "client_id": "other"}
    DailyCount.objects.create(service=lived.service, **counted)
    Call.objects.create(service=lived.service, at=now(), code="A284302", client_id="other")
    page = admin_client.get(OVERVIEW, {"client": "other"})
    assert figures(page) == ["1", "0", "1", "0"]
    assert page.context["grants_chart"].total == 1
    assert [code for code, *_ in page.context["codes"]] == ["A284302"]
    for figure, url in page.context["figures"]:
        assert admin_client.get(url).context["list"].count == int(figure.number), url


def test_a_purge_is_of_no_one_client(admin_client, lived):
    assert "Purge backlog" in admin_client.get(OVERVIEW).content.decode()
    assert "Purge backlog" not in admin_client.get(OVERVIEW, {"client": "app-1"}).content.decode()


def test_all_services_or_one(admin_client, lived):
    other = make_world(name="Other")
    other.grant()
    assert figures(admin_client.get(OVERVIEW))[0] == "5"
    page = admin_client.get(OVERVIEW, {"service": other.service.pk})
    assert figures(page)[0] == "1"
    for _, url in page.context["figures"]:
        assert f"service={other.service.pk}" in url


def test_a_chart_has_axes_links_and_a_table(admin_client, lived):
    text = admin_client.get(OVERVIEW).content.decode()
    drawing = re.search(r"<svg viewBox.*?</svg>", text, re.DOTALL).group()
    assert re.findall(r'dominant-baseline="middle"[^>]*>([^<]+)<', drawing) == ["0", "1", "2"]
    assert "Day (UTC)" in drawing
    bars = re.findall(r'<a href="([^"]+)" aria-label="([^"]+)"><rect', drawing)
    assert [label.partition(", ")[2] for _, label in bars] == [
        "Grants created: 2", "Grants created: 1", "Grants revoked: 1",
    ]  # fmt: skip
    assert "style=" not in drawing
    assert text.count("As a table") == 2


def test_codes_and_clients(admin_client, lived):
    page = admin_client.get(OVERVIEW)
    ((code, number, percent, url, *_),) = page.context["codes"]
    assert (code, number, percent) == ("A280301", 2, 100)
    assert len(rows(admin_client, url)) == 2
    ((client, of, number, percent, url),) = page.context["clients"]
    assert (client, of, number, percent) == ("app-1", "", 4, 100)
    assert len(rows(admin_client, url)) == 4


def test_cut_offs(admin_client, lived):
    lived.client.move_cut_off(ANN, Reason("other"))
    page = admin_client.get(OVERVIEW)
    ((client, url, _),) = page.context["cut_offs"]
    assert client == lived.client
    assert url == reverse("admin:grant_management_client_change", args=[client.pk])
    assert figures(page)[0] == "0"


class TestWhatIsNotCounted:
    def test_of_many_grants_the_purge_counts(self, admin_client, lived, monkeypatch):
        monkeypatch.setattr(counting, "COUNT_LIMIT", 3)
        page = admin_client.get(OVERVIEW)
        assert figures(page)[0] is None
        assert "Not counted" in page.content.decode()
        assert "The command purge_expired counts them" in page.content.decode()
        assert page.context["clients"] is None
        Tally.count_live()
        lived.grant()
        page = admin_client.get(OVERVIEW)
        assert figures(page)[0] == "4"
        assert [(row[0], row[2]) for row in page.context["clients"]] == [("app-1", 4)]

    def test_calls_that_no_log_keeps(self, admin_client, lived):
        Service.objects.update(call_log_size=0)
        page = admin_client.get(OVERVIEW)
        assert figures(page)[2] is None
        said = page.content.decode()
        assert said.count("No service here keeps a log of calls: set “Call log size”") == 3
        assert said.count("Not counted") == 3
        assert "No logged call was refused" not in said
        assert said.count("As a table") == 1  # no column of zeros

    def test_a_log_of_some(self, admin_client, lived, settings):
        make_world()
        settings.GRANT_MANAGEMENT = {"CALL_LOG_SAMPLE": 10}
        assert self.notes(admin_client)[:2] == [
            "The calls of 1 of 2 services are counted. The others keep no log: set “Call log size” in"
            " their settings.",
            "One call in 10 is logged (CALL_LOG_SAMPLE); metrics count all of them.",
        ]

    def test_more_logs_than_are_read(self, admin_client, lived, monkeypatch):
        monkeypatch.setattr(overview_logs, "LOGS", 1)
        make_world()
        Service.objects.update(call_log_size=10)
        said = self.notes(admin_client)[0]
        assert said == "The logs of 1 of 2 services are read: choose a service."

    def test_a_log_that_begins_within_the_period(self, admin_client, lived):
        (said,) = self.notes(admin_client)
        assert "begins 20" in said
        assert "the newest 100 calls, and fewer of unknown clients (“Call log size”)" in said

    def test_a_log_that_is_empty(self, admin_client, lived):
        Call.objects.all().delete()
        assert self.notes(admin_client) == [f"The log of {lived.service} has no call yet."]

    def test_a_log_of_the_whole_period(self, admin_client, lived):
        old = now() - timedelta(days=31)
        Call.objects.create(id=first_uuid7(old), service=lived.service, at=old, code="A277001")
        assert self.notes(admin_client) == []

    def notes(self, admin_client):
        return list(admin_client.get(OVERVIEW).context["calls_chart"].notes)

    def test_more_calls_than_are_read(self, admin_client, lived, monkeypatch):
        monkeypatch.setattr(counting, "COUNT_LIMIT", 2)
        chart = admin_client.get(OVERVIEW).context["calls_chart"]
        assert chart.total == 2
        assert "the newest 2 calls" in chart.notes[0]
        assert "choose a shorter period" in chart.notes[0]

    def test_as_of_when(self, admin_client, lived):
        text = admin_client.get(OVERVIEW).content.decode()
        assert text.count("counted <time") == 2
        assert "Counted up to 20" in text

    def test_events_that_are_no_longer_there(self, admin_client, lived, settings):
        settings.GRANT_MANAGEMENT = {"EVENT_RETENTION_DAYS": 30}
        assert "Events are deleted after 30 days" in admin_client.get(OVERVIEW).content.decode()


def test_no_service_yet(admin_client):
    assert admin_client.get(OVERVIEW).url.endswith("/organization/first-run/")


@pytest.mark.parametrize(
    "query", [{"service": "x"}, {"service": "9" * 30}, {"period": "1y"}, {"client": "x" * 300}]
)
def test_what_is_no_choice_says_so(admin_client, lived, query):
    page = admin_client.get(OVERVIEW, query)
    assert page.status_code == 200
    assert page.context["form"].errors


def test_statements(admin_client, lived, django_assert_max_num_queries):
    with django_assert_max_num_queries(24):
        admin_client.get(OVERVIEW)


def test_the_calls_of_one_code(admin_client, world):
    """Counted in the chart, and listed behind its bars."""
    world.service.call_log_size = 100
    world.service.save()
    for number, code in ((3, "A281305"), (2, "A277001"), (1, "A283301")):
        for _ in range(number):
            Call.objects.create(service=world.service, at=now(), code=code)
    url = reverse("admin:grant_management_dailycount_changelist")
    page = admin_client.get(url, {"code": "a281305", "period": "24h"})
    chart = page.context["calls_chart"]
    assert chart.total == 3
    assert "A281305" in str(chart.title)
    (bar,) = chart.bars()
    assert len(admin_client.get(bar["url"]).context["list"].rows) == 3
    assert [(code, number) for code, number, *_ in page.context["codes"]] == [("A281305", 3)]
    assert admin_client.get(url, {"code": "x" * 8}).context["form"].errors["code"]
    assert admin_client.get(url).context["calls_chart"].total == 6
