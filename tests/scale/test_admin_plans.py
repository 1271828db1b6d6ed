"""The admin with a million grants: few statements, and none that reads a large table whole."""

import json
import uuid
from itertools import islice
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.test import RequestFactory
from django.urls import reverse

from grant_management.models import Grant, GrantEvent
from grant_management.protocol.digests import sha256

from ..world import BY_TEST, now
from .plans import follow_no_condition, read_whole, statements

MOST = 25


def looked_up(admin_client, url, data=None, most=MOST):
    """A page whose rows are all found by a condition that an index answers."""
    return seen(admin_client, url, data, most, [read_whole, follow_no_condition])


def seen(admin_client, url, data=None, most=MOST, wrong=(read_whole,)):
    """A page, with what it asked the database."""
    with statements() as made:
        response = admin_client.get(url) if data is None else admin_client.post(url, data)
    assert response.status_code == 200
    assert len(made) <= most, len(made)
    for judge in wrong:
        assert judge(made) == []
    return response


def listing(name, **query):
    return f"{reverse(f'admin:grant_management_{name}_changelist')}?{urlencode(query)}"


QUERIES = [
    {},
    {"q": "subject-77"},
    {"q": "client-7"},
    {"q": "g-0000000042"},
    {"q": "nothing"},
    {"status": "active"},
    {"status": "revoked"},
    {"status": "expired"},
    {"status": "cut_off"},
    {"client": "client-7"},
    {"client": "client-7", "status": "revoked"},
    {"authorization_type": "payment_initiation"},
    {"authorization_type": "nothing"},
    {"since": "2025-03-01", "until": "2025-03-31"},
    {"expires_within": "7", "status": "active"},
    {"expires_within": "3650", "client": "client-7"},
    {"sort": "created"},
    {"sort": "created", "status": "active"},
    {"sort": "created", "client": "client-7"},
    {"period": "90d"},
    {"period": "90d", "status": "active"},
]


@pytest.mark.parametrize("query", QUERIES, ids=json.dumps)
def test_grants(admin_client, big, query):
    seen(admin_client, listing("grant", service=big.pk, **query))


@pytest.mark.parametrize("query", [{"q": "subject-77"}, {"q": "client-7"}, {"q": "g-0000000042"}])
def test_a_search_in_all_services(admin_client, big, query):
    page = seen(admin_client, listing("grant", **query))
    assert page.context["list"].rows


@pytest.mark.parametrize("depth", [1_000, 500_000, 990_000])
def test_the_next_page_at_any_depth(admin_client, big, depth):
    row = Grant.objects.get(service=big, grant_id=f"g-{1_000_000 - depth:010d}")
    cursor = json.dumps([row.created_at.isoformat(), str(row.pk)])
    for way in ("after", "before"):
        page = seen(admin_client, listing("grant", service=big.pk, **{way: cursor}))
        assert len(page.context["list"].rows) == 50


def test_a_grant(admin_client, big):
    grant = Grant.objects.get(service=big, grant_id="g-0000500000")
    seen(admin_client, reverse("admin:grant_management_grant_change", args=[grant.pk]))
    seen(admin_client, reverse("admin:grant_management_grant_revoke", args=[grant.pk]))


@pytest.mark.parametrize(
    "data",
    [
        {"created_before": "2025-03-01 00:00:00"},
        {"client": "client-7"},
        {"subject": "subject-77"},
        {"scope": "openid"},
        {"authorization_type": "payment_initiation"},
    ],
    ids=json.dumps,
)
def test_a_revoke_by_filter_is_checked(admin_client, big, data):
    check = reverse("admin:grant_management_sweep_check")
    page = seen(admin_client, check, {"service": big.pk, **data})
    assert page.context["sample"]
    assert page.context["clients"]


@pytest.mark.parametrize("name", ["accesstoken", "refreshtoken"])
def test_tokens(admin_client, big, name):
    for query in ({}, {"sort": "issued"}, {"q": "g-0000500000"}):
        seen(admin_client, listing(name, service=big.pk, **query))
    seen(admin_client, listing(name))


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": "client-7"},
        {"q": "subject-77"},
        {"q": "g-0000000042"},
        {"kind": "revoked"},
        {"reason": "other"},
        {"since": "2025-03-01", "until": "2025-03-31"},
        {"sort": "at"},
        {"each": "on"},
        {"ticket": "T-1"},
        {"ticket": "T-1", "each": "on", "sort": "at"},
        {"job": "00000000-0000-7000-8000-000000000001"},
    ],
    ids=json.dumps,
)
def test_events(admin_client, big, query):
    seen(admin_client, listing("grantevent", service=big.pk, **query))


@pytest.mark.parametrize("name", ["client", "call", "dpopnonce", "sweep"])
def test_other_lists(admin_client, big, name):
    seen(admin_client, listing(name, service=big.pk))
    if name != "dpopnonce":
        seen(admin_client, listing(name, service=big.pk, period="24h"))


SOUGHT = [
    ("subject-77", "People"),
    ("g-0000000042", "Grants"),
    ("access-42", "Tokens"),
    (sha256("refresh-42").hex()[:12], "Tokens"),
    ("client-7", "Clients"),
    ("T-1", "Events"),
    ("nothing", None),
    (str(uuid.UUID(int=1)), None),
]


@pytest.mark.parametrize(("text", "kind"), SOUGHT)
def test_a_search_for_anything(admin_client, big, text, kind):
    GrantEvent.objects.record("revoked", big.pk, now(), BY_TEST, ticket="T-1")
    url = reverse("admin:grant_management_grant_find")
    page = looked_up(admin_client, url, {"text": text}, most=40)
    found = [str(title) for title, _ in page.context["groups"]]
    assert found[:1] == ([kind] if kind else [])


def test_a_person(admin_client, big):
    grant = Grant.objects.get(service=big, grant_id="g-0000500000")
    for name in ("person", "revoke_many"):
        url = reverse(f"admin:grant_management_grant_{name}", args=[grant.pk])
        looked_up(admin_client, url, {"these": "all"} if name == "revoke_many" else None)
    looked_up(admin_client, reverse("admin:grant_management_grant_people"))


def test_a_client(admin_client, big):
    grant = Grant.objects.get(service=big, grant_id="g-0000500000")
    url = reverse("admin:grant_management_client_change", args=[grant.client_id])
    page = looked_up(admin_client, url, most=45)  # with its charts
    assert page.context["groups_of_grants"]


@pytest.mark.parametrize("name", ["grant", "grantevent"])
def test_an_export_begins_by_index(admin_client, big, name):
    """A turn of it; all of them would take a minute."""
    pages = site._registry[apps.get_model("grant_management", name)]
    request = RequestFactory().get("/", {"service": big.pk, "sort": ""})
    request.user = get_user_model().objects.get(username="admin")
    with statements() as made:
        for turn in islice(pages.selected(request, 1_000), 3):
            assert len(turn.values_list("pk")) == 1_000
    assert read_whole(made) == []


@pytest.mark.parametrize(
    "query", [{}, {"client": "client-7", "period": "90d"}, {"period": "24h"}], ids=json.dumps
)
def test_the_overview(admin_client, big, query):
    seen(admin_client, listing("dailycount", service=big.pk, **query), most=35)
    seen(admin_client, listing("dailycount", **query), most=35)


@pytest.mark.parametrize("query", [{"sort": "name"}, {"sort": "-client_id"}, {"q": "ent-7"}])
def test_clients(admin_client, big, query):
    seen(admin_client, listing("client", service=big.pk, **query))
    seen(admin_client, listing("client", **query))


@pytest.mark.parametrize("name", ["grant", "accesstoken", "grantevent"])
def test_a_small_service_beside_it(admin_client, big, name):
    page = seen(admin_client, listing(name, service=big.pk + 1))
    assert page.context["list"].count == 100
