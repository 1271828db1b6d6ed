"""What an operator keeps of a list: its columns, and views with a name. Nobody else sees them."""

import re

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.http import QueryDict
from django.test import Client as HTTP
from django.urls import reverse

from grant_management.admin.kit.typed import opened
from grant_management.models import ListColumns, SavedView, saved_view

from ..world import make_operator

GRANTS = reverse("admin:grant_management_grant_changelist")
COLUMNS = reverse("admin:grant_management_grant_columns")
SAVE = reverse("admin:grant_management_grant_save_view")


def heads(http, url=GRANTS):
    return [head["label"] for head in http.get(url).context["heads"]]


def views(http, url=GRANTS):
    return [(view["row"].name, view["row"].query) for view in http.get(url).context["views"]]


def plain(response):
    """The filters that an address leads to."""
    path, _question, query = response.url.partition("?")
    return path, opened(QueryDict(query)).dict()


@pytest.fixture
def other(django_user_model):
    user = make_operator(django_user_model, "eve")
    user.user_permissions.set(Permission.objects.filter(codename="view_grant"))
    http = HTTP()
    http.force_login(user)
    return http


class TestColumns:
    def test_the_default(self, admin_client, world):
        world.grant()
        assert heads(admin_client) == [
            "Status", "Grant", "Subject", "Client", "Scopes", "Authorization types", "Created",
            "Last used", "Expires",
        ]  # fmt: skip

    def test_those_chosen_are_remembered(self, admin_client, world, other):
        grant = world.grant()
        sent = {"column": ["grant_id", "status", "nonsense"], "query": "q=user-1&after=x&x=y"}
        response = admin_client.post(COLUMNS, sent)
        assert plain(response) == (GRANTS, {"q": "user-1"})
        for _ in range(2):
            page = admin_client.get(GRANTS)
            assert [head["label"] for head in page.context["heads"]] == [
                "Status",
                "Grant",
                "Subject",
                "Grant ID",
            ]
            assert grant.grant_id in page.content.decode()
        assert len(heads(other)) == 9
        assert ListColumns.objects.get().names == ["status", "grant_id"]

    def test_none_but_the_one_that_leads(self, admin_client, world):
        world.grant()
        admin_client.post(COLUMNS, {})
        assert heads(admin_client) == ["Grant", "Subject"]

    def test_the_default_again(self, admin_client, world):
        world.grant()
        admin_client.post(COLUMNS, {"column": "status"})
        admin_client.post(COLUMNS, {"column": "status", "default": "1"})
        assert len(heads(admin_client)) == 9
        assert not ListColumns.objects.exists()

    def test_each_list_has_its_own(self, admin_client, world):
        world.grant()
        world.token()
        admin_client.post(COLUMNS, {"column": "status"})
        tokens = reverse("admin:grant_management_accesstoken_changelist")
        assert len(heads(admin_client, tokens)) == 7


SHORT = [
    "apitoken", "clientprofile", "description", "organization", "organizationevent",
    "organizationmember", "service", "stream", "webhook", "webhookdelivery",
]  # fmt: skip


def columns_shown(page):
    """How many there are, but for that with the boxes to tick."""
    return len(set(page.context["cl"].list_display) - {"action_checkbox"})


class TestShortLists:
    """Django's own lists keep the same things."""

    @pytest.mark.parametrize("model", SHORT)
    def test_columns(self, admin_client, world, other, model):
        pages = site._registry[apps.get_model("grant_management", model)]
        url, names = pages.url("changelist"), list(pages.list_display)
        shown = [name for name in names if name not in pages.optional]
        page = admin_client.get(url)
        assert columns_shown(page) == len(shown)
        assert [column.key for column, _ in page.context["choosable"]] == names[1:]
        ticked = [column.key for column, is_shown in page.context["choosable"] if is_shown]
        assert ticked == [name for name in shown if name != names[0]]
        assert all(str(column.label)[0].isupper() for column, _ in page.context["choosable"])
        admin_client.post(pages.url("columns"), {"column": names[-1], "query": "o=1&q=x"})
        assert columns_shown(admin_client.get(url)) == 2
        admin_client.post(pages.url("columns"), {"default": "1"})
        assert columns_shown(admin_client.get(url)) == len(shown)

    def test_views(self, admin_client, world):
        pages = site._registry[apps.get_model("grant_management", "organizationevent")]
        sent = {"name": "Members", "query": "kind=member_added&o=2&x=y&p=3"}
        response = admin_client.post(pages.url("save_view"), sent)
        assert response.url == f"{pages.url('changelist')}?kind=member_added"
        page = admin_client.get(response.url).content.decode()
        assert 'href="?kind=member_added" aria-current="true"' in page


class TestViews:
    def test_saved_and_found_again(self, admin_client, world, other):
        query = "status=revoked&service=&sort=created&after=%5B%5D&x=y"
        response = admin_client.post(SAVE, {"name": " Revoked ", "query": query})
        assert views(admin_client) == [("Revoked", "status=revoked&sort=created")]
        assert response.url == f"{GRANTS}?status=revoked&sort=created"
        assert views(other) == []
        page = admin_client.get(response.url).content.decode()
        assert re.search(r'href="\?status=revoked&amp;sort=created" aria-current="true"', page)

    def test_a_period_stays_relative(self, admin_client, world):
        admin_client.post(SAVE, {"name": "Week", "query": "period=7d"})
        assert views(admin_client) == [("Week", "period=7d")]

    def test_one_of_the_same_name_is_replaced(self, admin_client, world):
        for query in ("status=revoked", "status=expired"):
            admin_client.post(SAVE, {"name": "Mine", "query": query})
        assert views(admin_client) == [("Mine", "status=expired")]

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\0b"])
    def test_names_that_are_none(self, admin_client, world, name):
        page = admin_client.post(SAVE, {"name": name, "query": ""}, follow=True)
        assert "needs a name" in page.content.decode()
        assert not SavedView.objects.exists()

    @pytest.mark.parametrize("query", ["q=" + "x" * 2_000, "q=a%00b"])
    def test_filters_that_cannot_be_kept(self, admin_client, world, query):
        page = admin_client.post(SAVE, {"name": "x", "query": query}, follow=True)
        assert "too long to be saved" in page.content.decode()
        assert not SavedView.objects.exists()

    def test_no_more_than_can_be_kept(self, admin_client, world, monkeypatch):
        monkeypatch.setattr(saved_view, "MOST", 2)
        for name in ("a", "b", "c", "b"):
            page = admin_client.post(SAVE, {"name": name, "query": "q=x"}, follow=True)
        assert views(admin_client) == [("a", "q=x"), ("b", "q=x")]
        assert "was saved" in page.content.decode()

    def test_deleted_by_its_owner_alone(self, admin_client, world, other):
        admin_client.post(SAVE, {"name": "Mine", "query": "q=x"})
        view = SavedView.objects.get()
        delete = reverse("admin:grant_management_grant_delete_view", args=[view.pk])
        assert other.post(delete).status_code == 404
        in_another = reverse("admin:grant_management_client_delete_view", args=[view.pk])
        assert admin_client.post(in_another).status_code == 404
        assert plain(admin_client.post(delete, {"query": "q=y"})) == (GRANTS, {"q": "y"})
        assert views(admin_client) == []
        assert admin_client.post(delete).status_code == 404
        beyond = reverse("admin:grant_management_grant_delete_view", args=[2**63])
        assert admin_client.post(beyond).status_code == 404


def test_only_by_post_and_by_those_who_see_the_list(admin_client, world, other):
    for url in (COLUMNS, SAVE):
        assert admin_client.get(url).status_code == 405
    for name in ("columns", "save_view"):
        url = reverse(f"admin:grant_management_client_{name}")
        assert other.post(url, {"name": "x"}).status_code == 403
    assert other.post(SAVE, {"name": "x"}).status_code == 302


def test_nothing_is_left_of_a_deleted_user(world, django_user_model):
    user = make_operator(django_user_model, "bob")
    SavedView.objects.keep(user, "grant", "x", "")
    ListColumns.objects.create(user_id=user.pk, of="grant")
    user.delete()
    assert not SavedView.objects.exists()
    assert not ListColumns.objects.exists()


def test_each_list_can_be_made_ones_own(admin_client, world):
    """Ours and Django's: columns to choose, and views to save."""
    pages = [
        page
        for model, page in site._registry.items()
        if model._meta.app_label == "grant_management"
        and model._meta.model_name not in ("dailycount", "operatorpreference")
    ]
    assert len(pages) > 12
    assert [page.opts.model_name for page in pages if not hasattr(page, "columns")] == []
