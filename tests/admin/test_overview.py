"""The overview: its figures are those of the lists that they lead to."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from grant_management.models import Actor, Call, GrantEvent, Reason, Tally

from ..world import later, now

OVERVIEW = reverse("admin:grant_management_dailycount_changelist")


@pytest.fixture
def lived(world):
    """A service with a past."""
    for number in range(4):
        world.grant(expires_at=now() + timedelta(days=2) if number else None)
    world.grant().revoke(Actor.operator("ann"), Reason("other"))
    GrantEvent.objects.record(
        "created",
        world.service.pk,
        now() - timedelta(days=1),
        Actor.client("app-1"),
        client_id="app-1",
    )
    for code in ("A277001", "A280301", "A280301"):
        Call.objects.create(service=world.service, at=now(), code=code)
    later(Tally.count_events)
    return world


def test_each_figure_is_the_count_of_its_list(admin_client, lived):
    page = admin_client.get(OVERVIEW)
    figures = page.context["figures"]
    assert [number for _, number, _ in figures] == ["4", "1", "2", "3"]
    for _, number, url in figures:
        assert admin_client.get(url).context["list"].count == int(number), url


def test_bars_and_their_table(admin_client, lived):
    page = admin_client.get(OVERVIEW)
    days = page.context["days"]
    assert len(days) == 30
    assert (days[-2]["created"]["number"], days[-1]["revoked"]["number"]) == (1, 1)
    assert sum(day["created"]["number"] + day["revoked"]["number"] for day in days) == 2
    text = page.content.decode()
    assert len(re.findall("<rect", text)) == 61
    assert f'<td data-label="Day (UTC)">{days[-1]["day"]}</td>' in text


def test_codes_and_clients(admin_client, lived):
    page = admin_client.get(OVERVIEW)
    assert page.context["codes"] == [{"code": "A280301", "number": 2}]
    assert page.context["clients"] == [("app-1", 4)]


def test_cut_offs(admin_client, lived):
    lived.client.move_cut_off(Actor.operator("ann"), Reason("other"))
    page = admin_client.get(OVERVIEW)
    assert [name for name, _ in page.context["cut_offs"]] == ["Budget App"]
    assert page.context["figures"][0][1] == "0"


def test_says_as_of_when(admin_client, lived):
    assert "active grants as of" in admin_client.get(OVERVIEW).content.decode()


def test_of_many_grants_the_purge_counts(admin_client, lived, monkeypatch):
    monkeypatch.setattr("grant_management.admin.overview.COUNT_LIMIT", 3)
    assert admin_client.get(OVERVIEW).context["figures"][0][1] == "0"
    Tally.count_live()
    lived.grant()
    page = admin_client.get(OVERVIEW)
    assert page.context["figures"][0][1] == "4"
    assert page.context["clients"] == [("app-1", 4)]


def test_no_service_yet(admin_client):
    assert admin_client.get(OVERVIEW).url.endswith("/organization/first-run/")


@pytest.mark.parametrize("service", ["x", "0", "9" * 30])
def test_a_service_that_is_none(admin_client, lived, service):
    assert admin_client.get(OVERVIEW, {"service": service}).status_code == 200


def test_statements(admin_client, lived, django_assert_max_num_queries):
    with django_assert_max_num_queries(25):
        admin_client.get(OVERVIEW)
