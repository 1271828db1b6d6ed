"""Calls, grants, clients, people, events, jobs and codes lead to each other."""

from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission
from django.test import Client as HTTP
from django.urls import reverse

from grant_management.conf import DOCUMENTS
from grant_management.models import (
    Actor,
    Call,
    GrantEvent,
    GrantFilter,
    Reason,
    Sweep,
    Tally,
    Webhook,
    WebhookDelivery,
)
from grant_management.protocol.results import Result

from ..world import later, make_operator, now

BY = Actor.operator("ann")


def url(name, *arguments):
    return reverse(f"admin:grant_management_{name}", args=arguments)


@pytest.fixture
def call(world):
    grant = world.grant()
    fields = {"grant_id": grant.grant_id, "client_id": "app-1", "code": "A281305"}
    made = Call.objects.create(service=world.service, at=now(), **fields)
    made.grant = grant
    return made


def test_a_call(admin_client, world, call):
    text = admin_client.get(url("call_change", call.pk)).content.decode()
    for link in (
        url("grant_change", call.grant.pk),
        url("grant_person", call.grant.pk),
        url("client_change", world.client.pk),
        f"{url('call_codes')}#A281305",
    ):
        assert f'href="{link}"' in text


def test_every_code_has_a_row_of_its_own(admin_client):
    text = admin_client.get(url("call_codes")).content.decode()
    for result in Result:
        assert text.count(f'id="{result.code}"') == 1


def test_a_grant(admin_client, world, call):
    text = admin_client.get(url("grant_change", call.grant.pk)).content.decode()
    for link in (
        url("grant_person", call.grant.pk),
        url("client_change", world.client.pk),
        url("call_change", call.pk),
    ):
        assert f'href="{link}"' in text
    assert "gm " not in text.split("</head>")[1].replace("gm-", "")


def test_an_event(admin_client, world, call):
    call.grant.revoke(BY, Reason("other"), job=call.pk)
    event = GrantEvent.objects.get()
    text = admin_client.get(url("grantevent_change", event.pk)).content.decode()
    for link in (
        url("grant_change", call.grant.pk),
        url("grant_person", call.grant.pk),
        url("client_change", world.client.pk),
        url("grant_receipt", call.pk),
    ):
        assert f'href="{link}"' in text
    timeline = admin_client.get(url("grant_change", call.grant.pk)).content.decode()
    assert f'href="{url("grantevent_change", event.pk)}"' in timeline


def test_an_event_of_a_job(admin_client, world):
    wanted = GrantFilter(world.service, subject="user-1")
    sweep = Sweep.objects.start(wanted, BY, Reason("other"))
    event = GrantEvent.objects.get()
    text = admin_client.get(url("grantevent_change", event.pk)).content.decode()
    assert f'href="{url("sweep_change", sweep.pk)}"' in text


def test_a_job(admin_client, world):
    grant = world.grant()
    wanted = GrantFilter(world.service, world.client, subject="user-1")
    sweep = Sweep.objects.start(wanted, BY, Reason("other"))
    list(sweep.work(10))
    text = admin_client.get(url("sweep_change", sweep.pk)).content.decode()
    for link in (
        url("grant_person", grant.pk),
        url("client_change", world.client.pk),
        url("grant_receipt", sweep.pk),
    ):
        assert f'href="{link}"' in text
    receipt = admin_client.get(url("grant_receipt", sweep.pk)).content.decode()
    assert f'href="{url("grant_change", grant.pk)}"' in receipt


class TestAClient:
    @pytest.fixture
    def page(self, admin_client, world, call):
        world.service.call_log_size = 100
        world.service.save()
        world.token(call.grant), world.refresh_token(call.grant)
        world.grant().revoke(BY, Reason("other"))
        world.grant(pending=True)
        other = world.client_named("app-2")
        world.token(world.grant(client=other), client=other)
        return admin_client.get(url("client_change", world.client.pk))

    def test_figures(self, page):
        figures = {str(label): number for label, number, _ in page.context["figures"]}
        assert figures == {
            "active grants": "1",
            "grants in all": "3",
            "refused calls, last 24 hours": "1",
        }

    def test_each_figure_is_the_count_of_its_list(self, admin_client, page):
        for label, number, link in page.context["figures"]:
            assert admin_client.get(link).context["list"].count == int(number), label

    def test_what_a_lock_stops(self, page):
        stops = {str(label): number for label, number in page.context["stops"]}
        assert stops == {"active grants": "1", "access tokens": "1", "refresh tokens": "1"}

    def test_a_count_has_a_limit(self, admin_client, world, page, monkeypatch):
        monkeypatch.setattr("grant_management.models.stops.LOOKS", (2,))
        page = admin_client.get(url("client_change", world.client.pk))
        assert page.context["stops"][0][1].startswith("at least ")

    def test_links(self, admin_client, world, call, page):
        text = page.content.decode()
        for link in (
            url("grant_change", call.grant.pk),
            url("grant_person", call.grant.pk),
            url("call_change", call.pk),
            f"{url('call_codes')}#A281305",
            url("client_lock", world.client.pk),
            url("client_cut-off", world.client.pk),
        ):
            assert f'href="{link}"' in text
        ((code, number, _, calls, row, _),) = page.context["codes"]
        assert (code, number, row) == ("A281305", 1, f"{url('call_codes')}#A281305")
        assert admin_client.get(calls).context["list"].count == 1

    def test_charts_of_the_period(self, admin_client, world, call, page):
        """Each bar is the number of its list; a period that is none is the default."""
        call.grant.record("created", now(), BY)
        later(Tally.count_events)
        for period in ("", "24h", "7d", "90d", "nonsense"):
            own = admin_client.get(url("client_change", world.client.pk), {"period": period})
            calls, grants = own.context["calls_chart"], own.context["grants_chart"]
            assert calls.total == 1
            assert grants.total >= 1
            shown = [name for name, _, is_shown in own.context["periods"] if is_shown]
            assert shown == [period if period in ("24h", "7d", "90d") else "30d"]
            for chart in (calls, grants):
                for one in chart.series:
                    for number, link in zip(one.numbers, one.urls, strict=True):
                        if number:
                            assert admin_client.get(link).context["list"].count == number

    def test_a_chart_is_for_those_who_see_its_rows(self, django_user_model, world, call, page):
        user = make_operator(django_user_model, "eve", world.service.organization)
        given = Permission.objects.filter(codename__in=["view_client", "view_grantevent"])
        user.user_permissions.set(given)
        http = HTTP()
        http.force_login(user)
        text = http.get(url("client_change", world.client.pk)).content.decode()
        assert 'id="gm-grants"' in text
        assert 'id="gm-calls"' not in text
        assert "A281305" not in text


def test_a_code_leads_to_its_row_in_the_documents(admin_client, world):
    """The headings of that page are compared with the codes by tests/docs."""
    text = admin_client.get(url("call_codes")).content.decode()
    for result in Result:
        assert f'id="{result.code}"' in text
        assert f'href="{DOCUMENTS}/reference/codes.md#{result.code.lower()}"' in text


def test_a_code_leads_to_its_calls(admin_client, world, call):
    """And so to nothing but these."""
    Call.objects.create(service=world.service, at=now(), code="A277001")
    text = admin_client.get(url("call_codes")).content.decode()
    for result in Result:
        assert f'href="{url("call_changelist")}?code={result.code}"' in text
    rows = admin_client.get(url("call_changelist"), {"code": "A281305"}).context["list"].rows
    assert [row.pk for row in rows] == [call.pk]


def test_superseded(admin_client, world):
    """An active grant that was replaced: its old tokens are superseded, the grant is not dead."""
    grant = world.grant(access_generation=1)
    world.token(grant)
    text = admin_client.get(url("grant_change", grant.pk)).content.decode()
    assert "Superseded" in text
    assert "Grant not active" not in text


def test_deliveries_of_a_webhook(admin_client, world, settings):
    keys = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | keys
    made = [
        Webhook.objects.register(world.service, BY, signature="v1", url=f"https://{n}.example/")[0]
        for n in "ab"
    ]
    for webhook in made:
        WebhookDelivery.objects.create(
            webhook=webhook, event=uuid4(), type="grant.revoked", number=1, created_at=now()
        )
    page = admin_client.get(url("webhook_change", made[0].pk))
    (link,) = [one for label, one in page.context["buttons"] if label == "Deliveries"]
    (row,) = admin_client.get(link).context["cl"].result_list
    assert row.webhook == made[0]


def test_the_list_of_operators_is_called_so(admin_client, world):
    page = admin_client.get(url("organizationmember_changelist")).content.decode()
    assert "<h1>Operators</h1>" in page
