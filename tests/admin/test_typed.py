"""What is typed into a list is in no URL: it may be a token."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.admin import site
from django.http import Http404, QueryDict
from django.urls import reverse

from grant_management.admin.kit.listing import ListAdmin
from grant_management.admin.kit.typed import opened, sealed
from grant_management.models import Call, GrantEvent, SavedView

from ..exports import read_csv
from ..world import BY_TEST, now

ROOT = Path(__file__).parents[2]
TEXT = "pasted-token-4711"
LISTS = [
    page for model, page in site._registry.items() if isinstance(page, ListAdmin) and page.texts
]


def addresses(page):
    """What a click could bring into the browser's history: every address on a page."""
    return re.findall(r'(?:href|action|src|data-[\w-]*url)="([^"]*)"', page.content.decode())


@pytest.mark.parametrize("pages", LISTS, ids=lambda pages: pages.opts.model_name)
def test_every_text_of_a_filter_is_posted(admin_client, world, pages):
    """The answer leads to an address that does not show it, and nor does any link of the page."""
    for name in pages.texts:
        answer = admin_client.post(pages.url("changelist"), {name: TEXT, "service": ""})
        assert answer.status_code == 302, name
        assert TEXT not in answer.url
        page = admin_client.get(f"{pages.url('changelist')}{answer.url}")
        assert [one.value for one, _ in page.context["applied"]] == [TEXT]
        assert [one for one in addresses(page) if TEXT in one] == []
        assert f'value="{TEXT}"' in page.content.decode()


def test_which_lists():
    """A filter that takes any text is of a list that posts it."""
    names = {pages.opts.model_name: sorted(pages.texts) for pages in LISTS}
    assert names == {
        "accesstoken": ["q"],
        "call": ["client", "code", "q", "request_id"],
        "client": ["q"],
        "grant": ["authorization_type", "client", "q"],
        "grantevent": ["q", "ticket"],
        "refreshtoken": ["q"],
    }


def test_no_list_has_a_search_box_of_django():
    """Its text would come into the URL. Those of users and roles are the standalone project's."""
    assert [page for page in site._registry.values() if page.search_fields] == []


def test_no_form_puts_a_text_into_a_url():
    """A form that is sent by GET has nothing to type into; a script posts what was typed."""
    for path in (ROOT / "templates/admin/grant_management").rglob("*.html"):
        for form in re.findall(r'<form method="get".*?</form>', path.read_text(), re.DOTALL):
            assert "<input" not in form, path.name
            assert "{{ field" not in form, path.name
    for path in (ROOT / "grant_management/static/grant_management").glob("*.js"):
        assert "?${" not in path.read_text(), path.name


def test_the_rows_are_those_that_were_meant(admin_client, world):
    wanted, _other = world.grant(subject=TEXT), world.grant()
    url = reverse("admin:grant_management_grant_changelist")
    answer = admin_client.post(url, {"q": TEXT, "status": "active", "sort": "created", "x": "y"})
    assert set(parse_qs(urlsplit(answer.url).query)) == {"typed", "status", "sort"}
    page = admin_client.get(f"{url}{answer.url}")
    assert [row.pk for row in page.context["list"].rows] == [wanted.pk]


def test_a_wrong_filter_is_said_at_once(admin_client, world):
    url = reverse("admin:grant_management_grant_changelist")
    page = admin_client.post(url, {"q": TEXT, "since": "never"})
    assert page.status_code == 200
    assert page.context["form"].errors["since"]
    assert "no-store" in page["Cache-Control"]
    assert [one for one in addresses(page) if TEXT in one] == []


def test_an_export_of_what_is_typed(admin_client, world):
    wanted, _other = world.grant(subject=TEXT), world.grant()
    export = reverse("admin:grant_management_grant_export_csv")
    rows = read_csv(admin_client.post(export, {"q": TEXT}))
    assert [row["grant_id"] for row in rows] == [wanted.grant_id]
    refused = admin_client.post(export, {"q": TEXT, "since": "never"})
    assert refused.status_code == 400
    assert [one for one in addresses(refused) if TEXT in one] == []


def test_a_revoke_by_filter_takes_it_along(admin_client, world):
    world.grant(subject=TEXT)
    page = admin_client.post(reverse("admin:grant_management_sweep_start"), {"q": TEXT})
    assert page.context["form"].initial["subject"] == TEXT
    assert [one for one in addresses(page) if TEXT in one] == []


def test_a_view_that_is_saved(admin_client, world):
    """It is kept as it was meant, so that it outlives a change of the key."""
    url = reverse("admin:grant_management_grant_changelist")
    query = sealed(QueryDict(f"q={TEXT}&status=active"), {"q"})
    save = reverse("admin:grant_management_grant_save_view")
    answer = admin_client.post(save, {"name": "Mine", "query": query})
    assert TEXT not in answer.url
    assert QueryDict(SavedView.objects.get().query).dict() == {"q": TEXT, "status": "active"}
    page = admin_client.get(f"{answer.url}")
    assert page.context["views"][0]["is_shown"]
    assert [one for one in addresses(page) if TEXT in one] == []
    page = admin_client.get(f"{url}?{page.context['views'][0]['query']}")
    assert {one.name: one.value for one, _ in page.context["applied"]} == {
        "q": TEXT,
        "status": "Active",
    }


class TestTheAddress:
    def test_nobody_makes_one_up(self, admin_client, world, settings):
        """Without its filters an export would have all rows."""
        world.grant()
        key, settings.SECRET_KEY = settings.SECRET_KEY, "another one " * 5
        address = sealed(QueryDict(f"q={TEXT}"), {"q"})
        settings.SECRET_KEY = key
        for text in (address, "typed=", "typed=x", "typed=%00", "typed=gAAAAA"):
            for name in ("changelist", "export_csv"):
                url = reverse(f"admin:grant_management_grant_{name}")
                assert admin_client.get(f"{url}?{text}").status_code == 404, text
            with pytest.raises(Http404):
                opened(QueryDict(text))

    def test_it_outlives_a_new_key(self, settings):
        address = sealed(QueryDict(f"q={TEXT}&a=b"), {"q"})
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another one " * 5
        assert opened(QueryDict(address)).dict() == {"q": TEXT, "a": "b"}

    def test_without_a_text_it_is_plain(self):
        assert sealed(QueryDict("q=&status=active"), {"q"}) == "status=active"


class TestTheOverview:
    URL = reverse("admin:grant_management_dailycount_changelist")

    def test_only_what_exists_comes_into_its_links(self, admin_client, world):
        for name in ("client", "code"):
            page = admin_client.post(self.URL, {name: TEXT[:7], "period": "7d"})
            assert page.context["form"].errors[name]
            assert [one for one in addresses(page) if TEXT[:7] in one] == []

    def test_what_exists_leads_to_its_page(self, admin_client, world):
        sent = {"client": "app-1", "code": "a281305", "period": "7d", "service": ""}
        answer = admin_client.post(self.URL, sent)
        assert answer.url == "?" + urlencode({"client": "app-1", "code": "A281305", "period": "7d"})
        assert not admin_client.get(f"{self.URL}{answer.url}").context["form"].errors


@pytest.mark.parametrize("name", ["client_suggest", "operatorpreference_utc"])
def test_scripts_post(admin_client, world, name):
    assert admin_client.get(reverse(f"admin:grant_management_{name}")).status_code == 405


class TestOfAPerson:
    """All calls and all events of a person; the address has the key of a grant."""

    def test_calls(self, admin_client, world):
        one, two = world.grant(), world.grant()
        other = world.grant(subject="user-2")
        for grant in (one, two, other):
            Call.objects.create(
                service=world.service, code="A281305", at=now(), grant_id=grant.grant_id
            )
        url = reverse("admin:grant_management_call_changelist")
        page = admin_client.get(url, {"person": one.pk})
        found = {row.grant_id for row in page.context["list"].rows}
        assert found == {one.grant_id, two.grant_id}
        assert [(a.name, a.value) for a, _ in page.context["applied"]] == [("person", "user-1")]
        assert [url for url in addresses(page) if "user-1" in url] == []

    def test_of_more_grants_than_are_looked_at(self, admin_client, world, monkeypatch):
        """It is said: the list is not whole."""
        said = "Only calls of the newest 2 grants of this person."
        url = reverse("admin:grant_management_call_changelist")
        for module in ("of_person", "call"):
            monkeypatch.setattr(f"grant_management.admin.{module}.GRANTS", 2)
        for is_said in (False, True):
            grant = world.grant()
            page = admin_client.get(url, {"person": grant.pk})
            assert (said in page.content.decode()) == is_said

    def test_events(self, admin_client, world):
        grant = world.grant()
        for subject in ("user-1", "user-2"):
            GrantEvent.objects.record("revoked", world.service.pk, now(), BY_TEST, subject=subject)
        url = reverse("admin:grant_management_grantevent_changelist")
        page = admin_client.get(url, {"person": grant.pk})
        assert [row.subject for row in page.context["list"].rows] == ["user-1"]

    def test_a_grant_of_nobody_or_of_others(self, admin_client, world):
        nobody = world.grant(subject=None)
        url = reverse("admin:grant_management_call_changelist")
        for key in (nobody.pk, "0190a0a0-0000-7000-8000-000000000000", "x"):
            page = admin_client.get(url, {"person": key})
            assert page.context["list"] is None
            assert page.context["form"].errors["person"]
