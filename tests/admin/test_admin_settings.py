"""A service's settings: changed with a reason, in force at the next call, written down."""

from unittest.mock import ANY

import pytest
from django.forms.models import model_to_dict
from django.urls import reverse

from grant_management.admin.service_forms import NAMES
from grant_management.models import ApiToken, GrantEvent, Service

from ..world import organization_token


def url(service, page="settings"):
    return reverse(f"admin:grant_management_service_{page}", args=[service.pk])


def sent(service, **changes):
    """The form as the browser sends it back."""
    values = model_to_dict(service, fields=NAMES)
    shown = {name: value for name, value in values.items() if value is not False}
    shown |= {"reason": "other", "note": "", "ticket": "T-1"} | changes
    return {name: value for name, value in shown.items() if value is not None}


def test_a_change_is_an_event(admin_client, world, call):
    grant = world.grant()
    data = sent(world.service, show_timestamps="on", realm="bank")
    page = admin_client.post(url(world.service), data, follow=True)
    assert "Changed: realm, show_timestamps." in page.content.decode()
    event = GrantEvent.objects.get()
    assert (event.kind, event.actor, event.ticket) == ("settings_changed", "admin", "T-1")
    assert event.details == {
        "before": {"realm": "", "show_timestamps": False},
        "after": {"realm": "bank", "show_timestamps": True},
        "request_id": ANY,
    }
    answer = call(gmAction="QUERY", grantId=grant.grant_id, accessToken=world.token(grant))
    assert "created_at" in answer.content


def test_no_change_is_no_event(admin_client, world):
    page = admin_client.post(url(world.service), sent(world.service), follow=True)
    assert "Nothing was changed." in page.content.decode()
    assert not GrantEvent.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": ""},
        {"dpop_signing_algs": ["none"]},
        {"dpop_signing_algs": []},
        {"actions_supported": ["query", "fly"]},
        {"dpop_nonce_duration": "0"},
        {"grant_management_endpoint": "ftp://x"},
        {"call_log_size": "-1"},
        {"ownership": "anybody"},
        {"name": ""},
    ],
    ids=str,
)
def test_what_is_not_acceptable_changes_nothing(admin_client, world, changes):
    before = model_to_dict(world.service, fields=NAMES)
    page = admin_client.post(url(world.service), sent(world.service, realm="x", **changes))
    assert page.context["form"].errors
    assert model_to_dict(Service.objects.get(), fields=NAMES) == before
    assert not GrantEvent.objects.exists()


def test_the_page_explains_each_setting(admin_client, world):
    text = admin_client.get(url(world.service, "change")).content.decode()
    for name in NAMES:
        assert f"<code>{name}</code>" in text
    assert f'serviceId: "{world.service.pk}"' in text


class TestApiTokensLeaveEvents:
    def events(self):
        rows = GrantEvent.objects.order_by("pk")
        return [(row.kind, row.actor, row.service_id) for row in rows]

    def test_from_the_admin(self, admin_client, world):
        token = ApiToken.objects.get()
        for name in ("rotate", "revoke"):
            address = reverse(f"admin:grant_management_apitoken_{name}", args=[token.pk])
            admin_client.post(address, {"once": name, "reason": "other"})
        number = world.service.pk
        assert self.events() == [
            ("api_token_rotated", "admin", number),
            ("api_token_revoked", "admin", number),
        ]
        for event in GrantEvent.objects.all():
            assert event.details["tokenId"] == str(token.pk)
            assert len(event.details["prefix"]) == 8

    def test_from_the_api(self, world, post):
        value = organization_token(world, can_manage_tokens=True)
        organization = world.service.organization_id
        members = {"organizationId": organization, "serviceId": world.service.pk}
        from django.test import Client as HTTP

        HTTP().post(
            "/api/servicetoken/create",
            members,
            content_type="application/json",
            headers={"Authorization": f"Bearer {value}"},
        )
        assert self.events() == [("api_token_issued", value[:8], world.service.pk)]
