"""The navigation by task: on every page, for what this operator may see, at any admin site."""

import re

import pytest
from django.contrib.admin import AdminSite
from django.contrib.auth.models import Permission
from django.template import engines
from django.test import RequestFactory
from django.urls import reverse

from grant_management.admin import GrantAdmin
from grant_management.models import Grant

from ..test_roles import fill
from ..world import make_operator, make_world

TASKS = ["Overview", "People", "Grants", "Clients", "Revoke by filter", "Calls", "Events"]
SETTINGS = [
    "Organizations",
    "Services",
    "Descriptions",
    "Clients&#x27; profiles",
    "API tokens",
    "Webhooks",
    "Webhook deliveries",
    "Streams",
    "Operators",
    "Organization events",
]
ADVANCED = ["Access tokens", "Refresh tokens", "DPoP nonces", "Jobs", "Result codes"]


def url(name, *arguments):
    return reverse(f"admin:{name}", args=arguments)


def entries(page):
    """The labels of the navigation, and the label of the current one."""
    nav = re.search(r'<nav id="gm-navigation".*?</nav>', page.content.decode(), re.DOTALL)
    found = re.findall(r"<a href=\"[^\"]*\"( aria-current=\"page\")?>([^<]*)</a>", nav.group())
    return [label for _, label in found], [label for current, label in found if current]


def in_view(page):
    return re.search(r"In view: <strong>([^<]*)</strong>", page.content.decode()).group(1)


@pytest.fixture
def rows(world):
    return fill(world)


def test_every_task(admin_client, rows):
    labels, current = entries(admin_client.get(url("grant_management_grant_changelist")))
    assert labels == [*TASKS, *SETTINGS, "Users", "Roles", *ADVANCED]
    assert current == ["Grants"]


def pages(rows):
    """A page of each kind: our own, Django's lists, forms and confirmations, and other apps'."""
    for name, row in rows.items():
        yield url(f"grant_management_{name}_changelist")
        if name != "dailycount":
            yield url(f"grant_management_{name}_change", row.pk)
            yield url(f"grant_management_{name}_history", row.pk)
    yield url("grant_management_grant_people")
    yield url("grant_management_grant_person", rows["grant"].pk)
    yield url("grant_management_grant_find")
    yield url("grant_management_grant_revoke", rows["grant"].pk)
    yield url("grant_management_sweep_start")
    yield url("grant_management_call_codes")
    yield url("app_list", "grant_management")
    yield url("auth_user_changelist")
    yield url("auth_user_add")
    yield url("password_change")
    yield url("app_list", "auth")


def test_on_every_page_once(admin_client, rows):
    for page in pages(rows):
        text = admin_client.get(page, follow=True).content.decode()
        for part in ('<nav id="gm-navigation"', '<form class="gm-search"', 'class="gm-view"'):
            assert text.count(part) == 1, (page, part)
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text), page


def test_strangers_see_none(client, db):
    assert "gm-navigation" not in client.get(url("login")).content.decode()


def test_only_what_they_may_see(client, django_user_model, rows):
    user = make_operator(django_user_model)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_call", "view_sweep"]))
    client.force_login(user)
    page = client.get(url("grant_management_call_changelist"))
    assert entries(page)[0] == ["Revoke by filter", "Calls", "Jobs", "Result codes"]
    assert url("grant_management_sweep_start") not in page.content.decode()
    user.user_permissions.set(Permission.objects.filter(codename="view_user"))
    page = client.get(url("auth_user_changelist"))
    assert entries(page)[0] == ["Users"]
    assert "gm-search" not in page.content.decode()


@pytest.mark.parametrize(
    ("page", "current"),
    [
        ("dailycount_changelist", "Overview"),
        ("grant_people", "People"),
        ("sweep_start", "Revoke by filter"),
        ("call_codes", "Result codes"),
        ("apitoken_changelist", "API tokens"),
    ],
)
def test_the_current_one(admin_client, rows, page, current):
    found = entries(admin_client.get(url(f"grant_management_{page}")))[1]
    assert found == [current]


class TestTheServiceInView:
    def test_all_is_the_default(self, admin_client, rows):
        make_world(name="Other")
        for name in ("grant", "client", "call", "grantevent", "accesstoken"):
            page = admin_client.get(url(f"grant_management_{name}_changelist"))
            assert in_view(page) == "All services"
        assert in_view(admin_client.get(url("grant_management_grant_people"))) == "All services"

    def test_a_chosen_one_is_kept(self, admin_client, world, rows):
        listing = url("grant_management_grant_changelist")
        page = admin_client.get(listing, {"service": world.service.pk, "status": "active"})
        text = page.content.decode()
        assert in_view(page) == "Retail"
        assert (
            f'href="{url("grant_management_call_changelist")}?service={world.service.pk}"' in text
        )
        assert '<a href="?status=active">Show all services</a>' in text

    def test_no_service_is_chosen_beforehand(self, admin_client, world, rows):
        start = url("grant_management_sweep_start")
        initial = admin_client.get(start).context["form"].initial
        assert initial["service"] == world.service
        other = make_world(name="Other").service
        assert "service" not in admin_client.get(start).context["form"].initial
        initial = admin_client.get(start, {"service": other.pk}).context["form"].initial
        assert initial["service"] == str(other.pk)

    def test_of_a_row(self, admin_client, world, rows):
        for name in ("grant", "client", "call", "grantevent", "service"):
            page = admin_client.get(url(f"grant_management_{name}_change", rows[name].pk))
            assert in_view(page) == "Retail"

    def test_not_of_another_organization(self, client, django_user_model, world, rows):
        theirs = make_world(name="Theirs").service
        user = make_operator(django_user_model, organization=world.service.organization)
        user.user_permissions.set(Permission.objects.filter(codename="view_client"))
        client.force_login(user)
        for number in (theirs.pk, "9" * 30, "x"):
            page = client.get(url("grant_management_client_changelist"), {"service": number})
            assert in_view(page) == "All services"


def test_a_site_that_has_one_model_of_ours(rf, admin_user, world):
    """What the site does not have is not offered."""
    site = AdminSite(name="admin")
    site.register(Grant, GrantAdmin)
    request = RequestFactory().get("/admin/")
    request.user, request.current_app = admin_user, "admin"
    template = engines["django"].from_string(
        "{% load grant_management_console %}{% grant_management_navigation %}"
    )
    text = template.render(site.each_context(request), request)
    assert re.findall(r"<a href=\"[^\"]*\">([^<]*)</a>", text) == ["People", "Grants"]


def test_outside_of_an_admin_site(rf, admin_user):
    """A host's own page that loads the tag shows nothing."""
    request = RequestFactory().get("/")
    request.user = admin_user
    template = engines["django"].from_string(
        "{% load grant_management_console %}{% grant_management_navigation %}"
    )
    assert template.render({}, request).strip() == ""
