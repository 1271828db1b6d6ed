"""The what-if tester: the real checks, without any effect."""

import json
from pathlib import Path

import pytest
from django.urls import reverse

from grant_management.endpoint.flow import STEPS
from grant_management.endpoint.messages import GMRequest
from grant_management.endpoint.trace import State, explain
from grant_management.models import DPoPNonce, Grant, GrantEvent, UsedProof
from grant_management.protocol.results import Action, Result
from grant_management.signals import grant_revoked, tokens_dying

from ..world import ENDPOINT, Key, make_world
from .test_flow import IN_PROCESS


def states(steps):
    return [step.state for step in steps]


def test_every_refusal_has_its_check():
    """One, and no more."""
    refusals = [result for step in STEPS for result in step.refusals]
    failures = {result for result in Result if result.error == "server_error"}
    expected = {
        result for result in IN_PROCESS if result.action not in (Action.OK, Action.NO_CONTENT)
    } - failures
    assert len(refusals) == len(set(refusals))
    assert set(refusals) == expected


@pytest.mark.django_db(transaction=True)
def test_a_revoke_that_would_succeed_changes_nothing():
    world, heard = make_world(), []

    def hear(**kwargs):
        heard.append(1)

    grant_revoked.connect(hear)
    tokens_dying.connect(hear)
    try:
        key, grant = Key(), world.grant()
        token = world.token(grant, jkt=key.jkt)
        proof = key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}", htm="DELETE")
        call = GMRequest(
            access_token=token, dpop=proof, gm_action="REVOKE", grant_id=grant.grant_id
        )
        for _ in range(2):
            answer, steps = explain(world.service, call)
            assert answer.result is Result.REVOKED
            assert set(states(steps)) == {State.PASSED, State.NOT_NEEDED}
    finally:
        grant_revoked.disconnect(hear)
        tokens_dying.disconnect(hear)
    assert Grant.objects.get().revoked_at is None
    assert not heard
    for model in (UsedProof, GrantEvent, DPoPNonce):
        assert not model.objects.exists()


def test_steps(world):
    grant = world.grant()
    call = GMRequest(
        access_token=world.token(grant, scopes="x"), gm_action="QUERY", grant_id=grant.grant_id
    )
    _, steps = explain(world.service, call)
    assert (
        states(steps)
        == [State.PASSED] * 5 + [State.NOT_NEEDED] * 7 + [State.REFUSED] + [State.NOT_REACHED] * 2
    )
    assert "A282301" in steps[12].why


class TestPage:
    @pytest.fixture
    def url(self, world):
        return reverse("admin:grant_management_service_what_if", args=[world.service.pk])

    def test_members(self, admin_client, world, url):
        grant = world.grant()
        token = world.token(grant)
        data = {"gm_action": "QUERY", "grant_id": grant.grant_id, "access_token": token}
        page = admin_client.post(url, data)
        text = page.content.decode()
        assert "A277001" in page.context["answer"]
        assert token not in text
        assert "no-store" in page["Cache-Control"]

    def test_body(self, admin_client, world, url):
        body = json.dumps({"gmAction": "QUERY", "grantId": "x", "accessToken": "terces"})
        page = admin_client.post(url, {"body": body})
        assert "A279306" in page.context["answer"]
        assert "terces" not in page.content.decode()
        assert "A126202" in admin_client.post(url, {"body": "{"}).context["refused"]

    def test_button_and_permission(self, admin_client, client, django_user_model, world, url):
        page = admin_client.get(
            reverse("admin:grant_management_service_change", args=[world.service.pk])
        )
        assert url.encode() in page.content
        client.force_login(django_user_model.objects.create_user("ann", is_staff=True))
        assert client.post(url, {"grant_id": "x"}).status_code == 403

    def test_unknown_service(self, admin_client, world):
        url = reverse("admin:grant_management_service_what_if", args=[5])
        assert admin_client.get(url).status_code == 404


def test_the_documented_order_is_that_of_the_steps():
    text = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text()
    table = text.partition("| check | refused with |\n| --- | --- |\n")[2].partition("\n\n")[0]
    assert table.splitlines() == [
        f"| {step.title} | {', '.join(sorted(result.code for result in step.refusals))} |"
        for step in STEPS
        if step.title
    ]
