"""The first run in the browser: from an empty database to the call that arrived."""

import json
import re
from unittest.mock import ANY

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from grant_management.admin.first_call import programs
from grant_management.models import (
    ApiToken,
    Call,
    Client,
    GrantEvent,
    Organization,
    OrganizationEvent,
    Service,
)

from ..world import make_world, now

OVERVIEW = "admin:grant_management_dailycount_changelist"


def url(page, *arguments):
    return reverse(f"admin:grant_management_{page}", args=arguments)


def once(client, address):
    return client.get(address).context["form"].initial["once"]


@pytest.fixture
def steps(admin_client):
    """What the checklist says now: the titles of the steps that are done, and the next one."""

    def read():
        page = admin_client.get(url("organization_first_run"))
        assert page.status_code == 200
        shown = page.context["steps"]
        return [str(one.title) for one in shown if one.done], page.context["next"], page

    return read


def send(client, page, data, **more):
    address = page.context["steps"][page.context["next"] - 1].url
    return client.post(address, data, **more)


def test_from_empty_to_the_call_that_arrived(admin_client, db, steps, post):
    assert admin_client.get(reverse(OVERVIEW)).url == url("organization_first_run")
    done, number, page = steps()
    assert (done, number) == ([], 1)
    answer = send(admin_client, page, {"name": "Example Bank"})
    assert answer.url == url("organization_first_run")
    done, number, page = steps()
    assert (done, number) == (["Create an organization"], 2)
    form = admin_client.get(page.context["steps"][1].url).context["form"]
    assert form["organization"].value() == Organization.objects.get().pk  # the only one
    data = {"organization": Organization.objects.get().pk, "name": "Retail", "call_log_size": 50}
    assert send(admin_client, page, data).status_code == 302
    done, number, page = steps()
    assert number == 3
    service = Service.objects.get()
    issue = page.context["steps"][2].url
    data = {
        "once": once(admin_client, issue),
        "organization": service.organization_id,
        "service": service.pk,
        "description": "first",
    }
    shown = admin_client.post(issue, data)
    value = shown.context["value"]
    assert "no-store" in shown["Cache-Control"]
    assert shown.context["page"] == url("organization_first_run")
    texts = [one.text for one in shown.context["programs"]]
    assert len(texts) == 5
    for text in texts:
        assert value in text
        assert f"http://testserver/api/{service.pk}/auth/gm" in text
    done, number, page = steps()
    assert number == 4
    assert admin_client.get(url("organization_arrived")).json() == {"arrived": False}
    answer = post(
        f"/api/{service.pk}/auth/gm",
        {"gmAction": "QUERY", "grantId": "first-call", "accessToken": "first-call"},
        api_token=value,
    )
    assert answer.code == page.context["expected"]
    assert admin_client.get(url("organization_arrived")).json() == {"arrived": True}
    done, number, page = steps()
    assert (len(done), number) == (4, 0)
    assert "The call arrived" in page.content.decode()
    assert "127.0.0.1" in page.content.decode()
    assert_it_leads_to_the_call_of_the_token(service, steps)
    kinds = [event.kind for event in GrantEvent.objects.order_by("at")]
    assert kinds == ["service_created", "api_token_issued"]
    assert OrganizationEvent.objects.get().kind == "organization_created"
    assert_kept_nowhere(admin_client, value)


def assert_it_leads_to_the_call_of_the_token(service, steps):
    """Not to a newer call of the service, which another token may have made."""
    call = Call.objects.get()
    other = Call.objects.create(service=service, at=now(), code="A277001")
    text = steps()[2].content.decode()
    assert url("call_change", call.pk) in text
    assert url("call_change", other.pk) not in text
    call.delete()
    assert "Look at the call" not in steps()[2].content.decode()


def assert_kept_nowhere(admin_client, value):
    """The value is on the page that showed it once, and nowhere else."""
    for session in Session.objects.all():
        assert value not in json.dumps(session.get_decoded())
    token = ApiToken.objects.get()
    for page in (
        url("organization_first_run"),
        url("apitoken_changelist"),
        url("apitoken_change", token.pk),
    ):
        assert value not in admin_client.get(page).content.decode()
    assert value not in str(list(GrantEvent.objects.values()))


def test_the_checklist_without_the_value(admin_client, world):
    """It has the real address and number, and the token's value comes from the environment."""
    page = admin_client.get(url("organization_first_run")).content.decode()
    assert f"/api/{world.service.pk}/auth/gm" in page
    for read in (
        "$API_TOKEN",
        "process.env.API_TOKEN",
        "os.environ[",
        "System.getenv(",
        "os.Getenv(",
    ):
        assert read in page.replace("&quot;", '"')
    assert world.api_token not in page


def test_who_may_not_begin_sees_the_overview(client, django_user_model, db):
    from django.contrib.auth.models import Group

    from grant_management.roles import VIEWER

    from ..world import make_operator

    user = make_operator(django_user_model)
    user.groups.add(Group.objects.get(name=VIEWER))
    client.force_login(user)
    page = client.get(reverse(OVERVIEW))
    assert "An administrator can create one" in page.content.decode()
    assert client.get(url("organization_first_run")).status_code == 403


def test_with_a_service_the_overview_stays(admin_client, world):
    assert admin_client.get(reverse(OVERVIEW)).status_code == 200


def test_no_program_is_left_with_a_gap():
    for token in ("", "abc"):
        for one in programs("https://gm.example.com/api/1/gm", token):
            assert not re.search(r"<[A-Z_]+>", one.text), one.language


class TestLater:
    """Organizations, services and clients are created and changed in the browser, with events."""

    def test_organization(self, admin_client, world):
        row = world.service.organization
        data = {"name": "Other Bank", "note": "merger", "ticket": "T-1"}
        assert admin_client.post(url("organization_edit", row.pk), data).status_code == 302
        event = OrganizationEvent.objects.get()
        assert (event.kind, event.note, event.ticket) == ("organization_changed", "merger", "T-1")
        assert event.details == {
            "before": {"name": "Example Bank"},
            "after": {"name": "Other Bank"},
            "request_id": ANY,
        }
        admin_client.post(url("organization_edit", row.pk), data)
        assert OrganizationEvent.objects.count() == 1  # nothing changed

    def test_service(self, admin_client, world):
        data = {
            "organization": world.service.organization_id,
            "name": "Second",
            "grant_management_endpoint": "https://as.example.com/gm?x",
            "call_log_size": -1,
        }
        page = admin_client.post(url("service_create"), data)
        assert set(page.context["form"].errors) == {"grant_management_endpoint", "call_log_size"}
        data |= {"grant_management_endpoint": "https://as.example.com/gm", "call_log_size": 0}
        assert admin_client.post(url("service_create"), data).status_code == 302
        made = Service.objects.get(name="Second")
        assert made.call_log_size == 0
        assert GrantEvent.objects.get().service_id == made.pk

    def test_client(self, admin_client, world):
        data = {"service": world.service.pk, "client_id": "app-2", "name": "Second"}
        assert admin_client.post(url("client_create"), data).status_code == 302
        made = Client.objects.get(client_id="app-2")
        assert GrantEvent.objects.get().kind == "client_created"
        page = admin_client.post(url("client_create"), data)
        assert page.context["form"].errors["client_id"]
        assert admin_client.post(url("client_edit", made.pk), {"name": "New"}).status_code == 302
        made.refresh_from_db()
        assert made.name == "New"
        assert GrantEvent.objects.order_by("-at").first().kind == "client_changed"

    @pytest.mark.parametrize("value", ["a\tb", "x" * 256])
    def test_what_the_api_refuses(self, admin_client, world, value):
        data = {"service": world.service.pk, "client_id": value}
        assert admin_client.post(url("client_create"), data).context["form"].errors["client_id"]
        data = {"name": value}
        assert admin_client.post(url("organization_create"), data).context["form"].errors["name"]
        assert not GrantEvent.objects.exists()
        assert not OrganizationEvent.objects.exists()

    def test_a_deleted_service_takes_no_client(self, admin_client, world):
        from grant_management.models import Reason

        from ..world import BY_TEST

        world.service.hide(BY_TEST, Reason("other"))
        data = {"service": world.service.pk, "client_id": "app-2"}
        assert admin_client.post(url("client_create"), data).context["form"].errors["service"]
        assert admin_client.get(url("service_settings", world.service.pk)).status_code == 404


def test_other_worlds_do_not_change_the_checklist(client, django_user_model, world):
    """An operator of one organization sees that organization's token alone."""
    from django.contrib.auth.models import Group

    from grant_management.roles import ADMINISTRATOR

    from ..world import make_operator

    other = make_world()
    ApiToken.objects.filter(service=world.service).delete()
    user = make_operator(django_user_model, organization=world.service.organization)
    user.groups.add(Group.objects.get(name=ADMINISTRATOR))
    client.force_login(user)
    page = client.get(url("organization_first_run"))
    assert page.context["next"] == 3
    assert str(other.service.pk) not in page.content.decode()
