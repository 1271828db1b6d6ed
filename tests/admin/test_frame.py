"""The frame of the console around pages that are not its own, and where nothing is."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from ..world import make_operator

CHOOSE = reverse("admin:grant_management_operatorpreference_changelist")
FRAME = ('<nav id="gm-navigation"', '<form class="gm-search"', 'class="gm-zone"')


def framed(page, status):
    text = page.content.decode()
    assert page.status_code == status
    assert [text.count(part) for part in FRAME] == [1, 1, 1]
    return text


class TestWhereNothingIs:
    @pytest.mark.parametrize("path", ["nothing/", "nothing/at/all", "grant_management/nothing/"])
    def test_at_the_standalone_site(self, admin_client, world, path):
        assert "Nothing is here." in framed(admin_client.get(f"/admin/{path}"), 404)

    def test_a_row(self, admin_client, world):
        url = reverse("admin:grant_management_client_change", args=[77])
        assert "Nothing is here." in framed(admin_client.get(url), 404)

    @pytest.mark.urls("tests.admin.own_site")
    def test_at_a_site_of_the_host(self, admin_client, world):
        for path in ("nothing/", "grant_management/nothing/"):
            text = framed(admin_client.get(f"/own/{path}"), 404)
            assert 'href="/own/grant_management/grant/"' in text
        assert "gm-navigation" not in admin_client.get("/bare/nothing/").content.decode()

    @pytest.mark.urls("tests.admin.own_site")
    def test_not_for_strangers(self, client, world):
        for site in ("own", "admin"):
            assert client.get(f"/{site}/nothing/").url.startswith(f"/{site}/login/")

    def test_in_the_language_of_the_operator(self, admin_client, world):
        admin_client.post(CHOOSE, {"language": "de", "time_zone": "Europe/Berlin"})
        page = admin_client.get("/admin/nothing/")
        assert b'lang="de"' in page.content
        assert b"Europe/Berlin" in page.content


class TestWhatIsNotRead:
    @pytest.mark.parametrize("name", ["organization", "apitoken"])
    def test_a_query_that_the_list_does_not_have(self, admin_client, world, name):
        url = reverse(f"admin:grant_management_{name}_changelist")
        page = admin_client.get(url, {"digest__startswith": "x"})
        text = framed(page, 400)
        assert "This request cannot be read" in text
        assert "Times are in the time zone UTC." in text

    def test_in_the_language_of_the_operator(self, admin_client, world):
        admin_client.post(CHOOSE, {"language": "de", "time_zone": "UTC"})
        url = reverse("admin:grant_management_apitoken_changelist")
        page = admin_client.get(url, {"digest__startswith": "x"})
        assert "Diese Anfrage kann nicht gelesen werden" in framed(page, 400)

    def test_of_somebody_who_is_not_logged_in(self, client, db, settings):
        settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1
        page = client.post(reverse("admin:login"), {"username": "x", "password": "y"})
        assert page.status_code == 400
        assert "This request cannot be read" in page.content.decode()


class TestPagesOfDjango:
    def test_what_may_not_be_seen(self, client, django_user_model, world):
        user = make_operator(django_user_model)
        user.user_permissions.set(Permission.objects.filter(codename="view_grant"))
        client.force_login(user)
        text = framed(client.get(reverse("admin:auth_user_changelist")), 403)
        assert "You may not open this page" in text

    def test_times_are_of_the_zone_that_is_named(self, admin_client, admin_user):
        admin_user.date_joined = datetime(2026, 7, 31, 22, 30, 15, tzinfo=UTC)
        admin_user.save()
        Group.objects.get_or_create(name="x")
        admin_client.post(CHOOSE, {"time_zone": "Europe/Berlin"})
        form = reverse("admin:auth_user_change", args=[admin_user.pk])
        group = reverse("admin:auth_group_change", args=[Group.objects.get(name="x").pk])
        for url in (
            form,
            group,
            reverse("admin:auth_user_changelist"),
            reverse("admin:auth_group_changelist"),
            reverse("admin:auth_user_password_change", args=[admin_user.pk]),
            reverse("admin:password_change"),
        ):
            text = framed(admin_client.get(url), 200)
            assert "Times are in the time zone Europe/Berlin." in text
        text = admin_client.get(form).content.decode()
        assert "Aug. 1, 2026, 12:30 a.m." in text
        assert 'name="date_joined' not in text  # where a time is typed, UTC stands beside it

    def test_several_are_chosen_in_a_plain_list(self, admin_client, admin_user, db):
        """Django's two lists have no names for a screen reader. How it is done stands below."""
        group = Group.objects.create(name="y")
        for page, name in (
            (reverse("admin:auth_user_change", args=[admin_user.pk]), "user_permissions"),
            (reverse("admin:auth_group_change", args=[group.pk]), "permissions"),
        ):
            text = admin_client.get(page).content.decode()
            assert "selectfilter" not in text
            (lead,) = re.findall(rf'<select name="{name}"[^>]*>', text)
            assert " multiple" in lead
            assert "Hold down “Control”" in text
