"""A receipt has all that somebody asks later, at an address that stays, and as JSON."""

import json

import pytest
from django.urls import reverse

from grant_management.models import (
    Actor,
    GrantEvent,
    GrantFilter,
    OrganizationEvent,
    Reason,
    Sweep,
)

from ..world import BY_TEST, now

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
    assert shown["Who"] == "operator admin"
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
    url = reverse("admin:grant_management_sweep_change", args=[sweep.pk])
    assert shown["Job"] == f'<a href="{url}">{sweep.pk}</a>'


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
    assert shown["Who, by ID"] == "7"
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
