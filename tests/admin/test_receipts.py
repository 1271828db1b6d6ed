"""A receipt has all that somebody asks later, at an address that stays, and as JSON."""

import io
import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from grant_management.models import (
    Actor,
    ApiToken,
    GrantEvent,
    GrantFilter,
    OrganizationEvent,
    Reason,
    Sweep,
)
from grant_management.models.stops import stops_of as counted
from grant_management.protocol.digests import sha256

from ..world import BY_TEST, make_operator, now, organization_token

TOKENS = ("Access tokens stopped", "Refresh tokens stopped")
WHY = {"reason": "suspected fraud", "note": "seen in a log", "ticket": "T-1"}


def receipt(page):
    return {str(name): str(value) for name, value in page.context["receipt"]}


@pytest.fixture
def revoked(admin_client, world):
    """The page after a grant was revoked by hand."""
    grant = world.grant()
    for _ in range(3):
        world.token(grant)
    url = reverse("admin:grant_management_grant_revoke", args=[grant.pk])
    return admin_client.post(url, WHY, follow=True), grant


def test_all_that_is_asked_later(revoked, world):
    page, grant = revoked
    event = GrantEvent.objects.get()
    shown = receipt(page)
    assert page.context["title"] == "Receipt: Grant revoked"
    assert f"{event.at:%Y-%m-%d %H:%M:%S} UTC" in shown["When"]
    assert shown["Done by"] == "operator admin"
    assert [shown[name] for name in ("Reason", "Note", "Ticket")] == list(WHY.values())
    assert shown["Grants stopped"] == "1"
    assert shown["Access tokens stopped"] == "3"
    assert shown["Receipt"] == str(event.pk)
    assert shown["Address"] == f"http://testserver{page.redirect_chain[-1][0]}"
    for model, row, text in (
        ("grant", grant.pk, grant.grant_id),
        ("client", world.client.pk, "Budget App (app-1)"),
        ("service", world.service.pk, "Retail"),
    ):
        url = reverse(f"admin:grant_management_{model}_change", args=[row])
        assert shown[model.capitalize()] == f'<a href="{url}">{text}</a>'


def test_as_json(admin_client, revoked):
    page, grant = revoked
    response = admin_client.get(page.redirect_chain[-1][0] + "receipt.json")
    told = json.loads(response.content)
    event = GrantEvent.objects.get()
    assert told["at"] == event.at.isoformat()
    assert told["actor"]["name"] == "admin"
    assert {name: told[name] for name in WHY} == WHY
    assert told["grant_id"] == grant.grant_id
    assert told["stops"]["access_tokens"] == {"number": 3, "exact": True}
    assert told["url"] == f"http://testserver{page.redirect_chain[-1][0]}"


class TestOfSeveral:
    """The receipt of several grants has the same as that of one."""

    @pytest.fixture
    def page(self, admin_client, world):
        grants = [world.grant() for _ in range(3)]
        world.token(grants[0])
        url = reverse("admin:grant_management_grant_revoke_many", args=[grants[0].pk])
        sent = {"grant": [str(one.pk) for one in grants], "confirmed": "1", **WHY}
        return admin_client.post(url, sent, follow=True)

    def test_all_that_is_asked_later(self, page):
        event = GrantEvent.objects.first()
        shown = receipt(page)
        assert page.context["title"] == "Receipt: 3 grants revoked"
        assert f"{event.at:%Y-%m-%d %H:%M:%S} UTC" in shown["When"]
        assert shown["Done by"] == "operator admin"
        assert shown["Done by (ID)"]
        assert [shown[name] for name in ("Reason", "Note", "Ticket")] == list(WHY.values())
        assert (shown["Grants stopped"], shown["Access tokens stopped"]) == ("3", "1")
        assert shown["Receipt"] == str(event.job)
        assert shown["Address"] == f"http://testserver{page.redirect_chain[-1][0]}"
        assert "gm-printed" in page.content.decode()

    def test_in_another_zone(self, admin_client, page):
        choose = reverse("admin:grant_management_operatorpreference_changelist")
        admin_client.post(choose, {"time_zone": "Asia/Tokyo"})
        shown = receipt(admin_client.get(page.redirect_chain[-1][0]))
        assert "+09:00" in shown["When"]
        assert shown["When, in UTC"].endswith(" UTC")

    def test_as_json(self, admin_client, page):
        response = admin_client.get(page.redirect_chain[-1][0] + "receipt.json")
        told = json.loads(response.content)
        events = list(GrantEvent.objects.order_by("pk"))
        assert told["id"] == str(events[0].job)
        assert {name: told[name] for name in WHY} == WHY
        assert [one["event"] for one in told["grants"]] == [str(event.pk) for event in events]
        assert {one["grant_id"] for one in told["grants"]} == {event.grant_id for event in events}
        assert told["stops"]["access_tokens"] == {"number": 1, "exact": True}
        assert told["is_whole"] is True
        assert told["url"] == f"http://testserver{page.redirect_chain[-1][0]}"
        assert "receipt.json" in page.content.decode()

    def test_only_for_those_who_see_events(self, page, client, django_user_model):
        client.force_login(make_operator(django_user_model))
        assert client.get(page.redirect_chain[-1][0] + "receipt.json").status_code == 403


@pytest.mark.parametrize("kind", ["service", "organization"])
def test_of_a_revoked_api_token(admin_client, world, kind):
    value = world.api_token if kind == "service" else organization_token(world)
    token = ApiToken.objects.get(digest=sha256(value))
    url = reverse("admin:grant_management_apitoken_revoke", args=[token.pk])
    page = admin_client.post(url, WHY, follow=True)
    assert page.context["title"] == "Receipt: API token revoked"
    assert token.prefix in page.content.decode()
    again = admin_client.post(url, WHY)
    assert again.url == reverse("admin:grant_management_apitoken_change", args=[token.pk])


def test_of_a_job(admin_client, world):
    for _ in range(4):
        world.grant(subject="user-9")
    wanted = GrantFilter(world.service, subject="user-9")
    sweep = Sweep.objects.start(wanted, BY_TEST, Reason("other"), expected=4)
    list(sweep.work(100))
    event = GrantEvent.objects.get(kind="job_finished")
    page = admin_client.get(reverse("admin:grant_management_grantevent_change", args=[event.pk]))
    shown = receipt(page)
    assert shown["Grants revoked by the job so far"] == "4"
    assert [shown[name] for name in TOKENS] == ["Not counted"] * 2
    url = reverse("admin:grant_management_sweep_change", args=[sweep.pk])
    assert shown["Job"] == f'<a href="{url}">{sweep.pk}</a>'


class TestOfTheGrantsOfAJob:
    """Nobody counts the tokens of a revoke by filter; a cut-off's page does."""

    def revoked(self, world, told=None, **fields):
        for _ in range(3):
            world.grant()
        wanted = GrantFilter(world.service, world.client, **fields)
        sweep = Sweep.objects.start(wanted, BY_TEST, Reason("other"), told=told)
        list(sweep.work(100))
        return reverse("admin:grant_management_grant_receipt", args=[sweep.pk])

    def test_of_a_revoke_by_filter(self, admin_client, world):
        url = self.revoked(world)
        shown = receipt(admin_client.get(url))
        assert shown["Grants stopped"] == "3"
        assert [shown[name] for name in TOKENS] == ["Not counted"] * 2
        told = json.loads(admin_client.get(f"{url}receipt.json").content)["stops"]
        assert told == {
            "grants": {"number": 3, "exact": True},
            "access_tokens": None,
            "refresh_tokens": None,
        }
        event = GrantEvent.objects.filter(kind="revoked").first()
        one = reverse("admin:grant_management_grantevent_change", args=[event.pk])
        shown = receipt(admin_client.get(one))
        assert (shown["Grants stopped"], shown["Access tokens stopped"]) == ("1", "Not counted")

    def test_of_more_than_it_lists(self, admin_client, world, monkeypatch):
        monkeypatch.setattr("grant_management.admin.receipt_many.MOST", 2)
        shown = receipt(admin_client.get(self.revoked(world)))
        assert shown["What"] == "The first: 2 grants revoked"
        assert shown["Grants stopped"] == "3"

    def test_of_a_cut_off(self, admin_client, world):
        world.token(), world.token(), world.refresh_token()
        told = counted(world.client).as_json()
        url = self.revoked(world, told, created_before=now())
        shown = receipt(admin_client.get(url))
        assert [shown[name] for name in TOKENS] == ["2", "1"]
        for kind, number in (("cut_off", "2"), ("job_finished", "2"), ("revoked", "Not counted")):
            event = GrantEvent.objects.filter(kind=kind).first()
            one = reverse("admin:grant_management_grantevent_change", args=[event.pk])
            shown = receipt(admin_client.get(one))
            assert shown["Access tokens stopped"] == number, kind
            assert shown["Grants revoked by the job so far"] == "3"


def test_of_a_cut_off_by_command(admin_client, world):
    """It has the numbers that one of the console has."""
    world.token(world.grant()), world.refresh_token()
    which = ("--service", str(world.service.pk), "--client", "app-1")
    before = ("--created-before", now().isoformat())
    call_command("revoke_grants", *which, *before, stdout=io.StringIO())
    event = GrantEvent.objects.get(kind="cut_off")
    page = admin_client.get(reverse("admin:grant_management_grantevent_change", args=[event.pk]))
    shown = receipt(page)
    assert [shown[name] for name in ("Grants stopped", *TOKENS)] == ["1", "1", "1"]


def test_of_what_is_gone(admin_client, world):
    """The event outlives the client and the grant, and so does its receipt."""
    event = GrantEvent.objects.record(
        "revoked",
        world.service.pk,
        now(),
        Actor.operator("ann", 7),
        client_id="gone",
        grant_id="g" * 200,
        subject="<b>",
    )
    page = admin_client.get(reverse("admin:grant_management_grantevent_change", args=[event.pk]))
    shown = receipt(page)
    assert shown["Client"] == "gone"
    assert shown["Grant"] == "g" * 200
    assert "&lt;b&gt;" in page.content.decode()
    assert shown["Done by (ID)"] == "7"
    assert shown["Ticket"] == "none was given"


def test_of_an_organization(admin_client, world):
    row = world.service.organization
    url = reverse("admin:grant_management_organization_edit", args=[row.pk])
    admin_client.post(url, {"name": "Other", "ticket": "T-2"})
    event = OrganizationEvent.objects.get()
    url = reverse("admin:grant_management_organizationevent_change", args=[event.pk])
    shown = receipt(admin_client.get(url))
    assert (shown["Organization"], shown["Ticket"]) == ("Other", "T-2")
    told = json.loads(admin_client.get(url + "receipt.json").content)
    assert told["organization"] == row.pk
