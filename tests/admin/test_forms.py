"""Errors stand beside their fields, none hides another, and the first wrong field has the focus."""

import re

import pytest
from django.test import Client as HTTP
from django.urls import reverse

from grant_management.admin.grant import GrantListForm
from grant_management.models import Service

from ..standalone import ROOT


def url(page, *arguments):
    return reverse(f"admin:grant_management_{page}", args=arguments)


def title(page):
    return re.search(r"<title>(.*?)</title>", page, re.DOTALL)[1].strip()


def test_all_errors_at_once(admin_client, world):
    data = {"organization": world.service.organization_id, "service": world.service.pk, "once": "x"}
    data |= {"description": "x" * 300, "expires_at": "yesterday"}
    data |= {"can_manage_tokens": "on", "can_manage_services": "on"}
    page = admin_client.post(url("apitoken_issue"), data)
    wrong = {"description", "expires_at", "can_manage_tokens", "can_manage_services"}
    assert set(page.context["form"].errors) == wrong
    text = page.content.decode()
    assert title(text).startswith("Error: ")
    (focused,) = re.findall(r"<[^>]* autofocus[^>]*>", text)
    assert 'name="description"' in focused  # the first of them
    for name in wrong:
        assert f'id="id_{name}_error"' in text
        field = re.search(rf'<input[^>]*name="{name}"[^>]*>', text)[0]
        assert 'aria-invalid="true"' in field
        assert f"id_{name}_error" in field


def test_no_error_no_word_of_it(admin_client, world):
    page = admin_client.get(url("apitoken_issue")).content.decode()
    assert not title(page).startswith("Error")
    assert "autofocus" not in page


def test_an_error_of_no_field_is_told(admin_client, world):
    page = admin_client.post(url("sweep_check"), {"service": world.service.pk})
    text = page.content.decode()
    assert 'role="alert"' in text
    assert title(text).startswith("Error: ")


def test_lists_are_boxes(admin_client, world):
    """No JSON is typed where something can be chosen."""
    page = admin_client.get(url("service_settings", world.service.pk)).content.decode()
    boxes = re.findall(r'<input type="checkbox" name="actions_supported" value="(\w+)"', page)
    assert boxes == ["query", "revoke", "create", "merge", "replace"]
    assert re.findall(r'<textarea name="(\w+)"', page) == ["self_service_origins", "note"]


@pytest.mark.parametrize("door", ["grant", "client", "service", "organization", "apitoken"])
def test_a_page_that_is_not_there(admin_client, world, door):
    page = admin_client.get(url(f"{door}_change", "12345"))
    assert page.status_code == 404
    assert "Nothing is here." in page.content.decode()
    assert "Times are in the time zone UTC." in page.content.decode()  # in a host's project, too
    assert reverse("admin:index") in page.content.decode()


def test_a_page_that_is_not_allowed(client, django_user_model, world):
    client.force_login(django_user_model.objects.create_user("ann", is_staff=True))
    page = client.get(url("grant_changelist"))
    assert page.status_code == 403
    assert "You are logged in as ann." in page.content.decode()


def test_an_address_below_the_admin_that_never_was(admin_client):
    page = admin_client.get("/admin/nowhere/")
    assert page.status_code == 404


def test_a_form_without_its_token_is_refused(admin_user, world):
    """The frame around the pages leaves Django's protection in place."""
    strict = HTTP(enforce_csrf_checks=True)
    strict.force_login(admin_user)
    data = {"organization": world.service.organization_id, "name": "x", "call_log_size": 0}
    assert strict.post(url("service_create"), data).status_code == 403
    assert Service.objects.count() == 1


@pytest.mark.parametrize("name", ["grant", "client", "call", "grantevent", "accesstoken"])
def test_a_list_has_no_second_search(admin_client, world, name):
    """Its box says what it filters by; for a token it leads to the search."""
    page = admin_client.get(reverse(f"admin:grant_management_{name}_changelist"))
    box = page.context["form"]["q"]
    assert "Search" not in str(box.label)
    assert 'type="text"' in str(box)
    text = page.content.decode()
    assert text.count('type="search"') == 1
    if name != "client":
        assert "For a token use the search at the top of the page" in text


def test_each_table_has_a_caption():
    """Somebody who hears the page knows which table it is."""
    tables = {
        path.name: re.findall(r'<table class="gm-table[^>]*>\s*(<caption|.{20})', path.read_text())
        for path in (ROOT / "templates/admin/grant_management").rglob("*.html")
    }
    assert sum(map(len, tables.values())) > 15
    assert {name for name, found in tables.items() if set(found) - {"<caption"}} == set()


def test_a_choice_of_rows_reads_them_once(world, django_assert_num_queries):
    """To be written and to find the chosen one: a list asks it for the services, too."""
    with django_assert_num_queries(1):
        form = GrantListForm({"service": world.service.pk}, services=Service.objects.all())
        assert form.is_valid()
        assert form.chosen() == [world.service.pk]
        assert f'value="{world.service.pk}" selected' in str(form["service"])


@pytest.mark.parametrize("value", ["0", "x", "\x00", "1e9", "9" * 30])
def test_a_row_that_is_no_choice_is_refused(world, value):
    form = GrantListForm({"service": value}, services=Service.objects.all())
    assert form.errors["service"].as_data()[0].code == "invalid_choice"
