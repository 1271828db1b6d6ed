"""What the admin finds among a million grants. Which plans its pages have: `test_console_plans`."""

import json
from itertools import islice

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.test import RequestFactory

from benchmarks.console.page import admin, listing
from benchmarks.console.pages import SEARCHES
from grant_management.models import Grant

from .plans import read_whole, statements

FOUND = {
    "search: a subject": "People",
    "search: a grant ID": "Grants",
    "search: a token": "Tokens",
    "search: the start of a digest": "Tokens",
    "search: a client ID": "Clients",
    "search: a ticket": "Events",
    "search: an event": "Events",
    "search: a call": "Calls",
    "search: nothing": None,
}


@pytest.mark.parametrize("name", FOUND)
def test_a_search_for_anything(admin_client, known, name):
    page = SEARCHES[name].ask(admin_client, known)
    found = [str(title) for title, _ in page.context["groups"]]
    assert (FOUND[name] in found) if FOUND[name] else found == []


@pytest.mark.parametrize("query", [{"q": "subject-77"}, {"q": "client-7"}, {"q": "g-0000000042"}])
def test_a_search_in_all_services(admin_client, known, query):
    page = admin("grant_changelist", **query).ask(admin_client, known)
    assert page.context["list"].rows


@pytest.mark.parametrize("part", [0.001, 0.5, 0.99])
def test_the_next_page_at_any_depth(admin_client, big, known, request, part):
    number = int(request.config.getoption("--grants") * (1 - part))
    row = Grant.objects.get(service=big, grant_id=f"g-{number:010d}")
    cursor = json.dumps([row.created_at.isoformat(), str(row.pk)])
    for way in ("after", "before"):
        url = listing("grant").url(known)
        with statements() as made:
            page = admin_client.get(url, {"service": big.pk, way: cursor})
        assert len(page.context["list"].rows) == 50
        assert read_whole(made) == []


def test_a_revoke_by_filter_is_checked(admin_client, known):
    page = admin("sweep_check", posted={"service": "{service}", "scope": "openid"})
    found = page.ask(admin_client, known).context
    assert found["sample"]
    assert found["clients"]


def test_a_client(admin_client, known):
    page = admin("client_change", "client").ask(admin_client, known)
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


@pytest.mark.parametrize("name", ["grant", "accesstoken", "grantevent"])
def test_a_small_service_beside_it(admin_client, big, known, name):
    url = listing(name).url(known)
    page = admin_client.get(url, {"service": big.pk + 1})
    assert page.context["list"].count == 100
