"""Pages of webhooks: who registers, rotates, deletes and sends again; the key, shown once."""

import re
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Group
from django.urls import reverse

from grant_management.events.delivering import number_waiting
from grant_management.models import GrantEvent, Webhook, WebhookDelivery, receiver, webhook_delivery
from grant_management.models.webhook_key import WebhookKey
from grant_management.roles import ADMINISTRATOR, INCIDENT, SUPPORT, VIEWER

from ..world import BY_TEST, make_operator, make_world, now

URL = "https://receiver.example/in-its-path/hook?token=only-on-its-page"
SECRETS = re.compile("only-on-its-page|in-its-path")
KEY = re.compile(r"whsec_[\w+/=]{44}|whpk_[\w+/=]{44}")


@pytest.fixture(autouse=True)
def keys(settings):
    keys = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | keys


@pytest.fixture
def webhook(world):
    return Webhook.objects.register(world.service, BY_TEST, signature="v1", url=URL)[0]


@pytest.fixture
def dead(webhook):
    """A delivery that was given up."""
    WebhookDelivery.objects.test(webhook, BY_TEST)
    WebhookDelivery.objects.update(due_at=None, dead_at=now())
    return WebhookDelivery.objects.get()


@pytest.fixture
def operator(client, django_user_model):
    def log_in(role, organization):
        user = make_operator(django_user_model, organization=organization)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
        return client

    return log_in


def url(page, *arguments, model="webhook"):
    return reverse(f"admin:grant_management_{model}_{page}", args=arguments)


def once(client, page):
    """What a form that is sent once has in it."""
    return re.search(r'name="once" value="([^"]+)"', client.get(page).content.decode())[1]


def sends(world, webhook, dead):
    """Every form that changes something, with all that it takes."""
    new = {"service": world.service.pk, "url": URL, "signature": "v1", "once": "x"}
    why = {"reason": "other"}
    yield url("register"), new
    yield url("rotate", webhook.pk), why | {"signature": "v1", "once": "y"}
    yield url("edit", webhook.pk), why | {"url": "https://receiver.example/other"}
    yield url("replay", webhook.pk), why | {"first": "2026-01-01"}
    for page in ("test", "disable", "enable", "remove"):
        yield url(page, webhook.pk), why
    yield url("replay", dead.pk, model="webhookdelivery"), why


def state():
    return [
        list(rows.order_by("pk").values())
        for rows in (Webhook.objects, WebhookKey.objects, GrantEvent.objects)
    ] + [list(WebhookDelivery.objects.values("pk", "due_at"))]


@pytest.mark.parametrize("role", [VIEWER, SUPPORT, INCIDENT])
def test_who_may_not_change_anything(operator, world, webhook, dead, role):
    client, before = operator(role, world.service.organization), state()
    for page, data in sends(world, webhook, dead):
        assert client.post(page, data).status_code == 403, page
    assert state() == before
    assert client.get(url("change", webhook.pk)).status_code == 200


def test_another_organizations_operator(operator, world, webhook, dead):
    client, before = operator(ADMINISTRATOR, make_world().service.organization), state()
    for page, data in sends(world, webhook, dead):
        response = client.post(page, data)
        if page == url("register"):  # the service is none of the choices
            assert response.context["form"].errors["service"]
        else:
            assert response.status_code == 404, page
        assert not KEY.search(response.content.decode())
    assert state() == before
    for model in ("webhook", "webhookdelivery"):
        assert str(webhook.pk) not in client.get(url("changelist", model=model)).content.decode()


@pytest.mark.parametrize("signature", ["v1", "v1a"])
def test_the_key_is_shown_once(operator, world, signature):
    client = operator(ADMINISTRATOR, world.service.organization)
    page = url("register")
    data = {"service": world.service.pk, "url": URL, "signature": signature}
    data["once"] = once(client, page)
    response = client.post(page, data)
    (first,) = set(KEY.findall(response.content.decode()))
    assert "no-store" in response["Cache-Control"]
    again = client.post(page, data, follow=True)  # sent twice, as by "back" and "reload"
    assert Webhook.objects.count() == 1
    webhook = Webhook.objects.get()
    rotate = url("rotate", webhook.pk)
    data = {"reason": "other", "signature": signature, "once": once(client, rotate)}
    (second,) = set(KEY.findall(client.post(rotate, data).content.decode()))
    assert first != second
    assert WebhookKey.objects.count() == 2
    client.post(rotate, data)
    assert WebhookKey.objects.count() == 2
    pages = [again, *(client.get(one) for one in (url("change", webhook.pk), url("changelist")))]
    for one in pages:
        assert not KEY.search(one.content.decode())
        assert "gAAAA" not in one.content.decode(), "nothing that is encrypted"


def test_the_url_is_on_its_own_page_alone(operator, world, webhook, dead):
    client = operator(ADMINISTRATOR, world.service.organization)
    assert "only-on-its-page" in client.get(url("change", webhook.pk)).content.decode()
    events = [url("change", one.pk, model="grantevent") for one in GrantEvent.objects.all()]
    lists = [url("changelist", model=one) for one in ("webhook", "webhookdelivery", "grantevent")]
    for page in [*events, *lists, url("change", dead.pk, model="webhookdelivery")]:
        assert not SECRETS.search(client.get(page).content.decode()), page


def test_who_may_not_change_it_sees_the_host_alone(operator, world, webhook):
    client = operator(VIEWER, world.service.organization)
    seen = client.get(url("change", webhook.pk)).content.decode()
    assert "https://receiver.example/…" in seen
    assert not SECRETS.search(seen)


def test_a_delivery_of_a_disabled_webhook_is_not_sent_again(operator, world, webhook, dead):
    webhook.change(BY_TEST, enabled=False)
    client, before = operator(ADMINISTRATOR, world.service.organization), state()
    client.post(url("replay", dead.pk, model="webhookdelivery"), {"reason": "other"})
    assert state() == before


WHY = {"reason": "other", "note": "moved", "ticket": "T-1"}


def test_where_it_sends_what_is_changed(operator, world, webhook):
    client = operator(ADMINISTRATOR, world.service.organization)
    page = url("edit", webhook.pk)
    assert "only-on-its-page" in client.get(page).content.decode(), "the form has what there is"
    new = {"url": f"{URL}-2", "event_types": ["grant.revoked"], "description": "SIEM"}
    answer = client.post(page, WHY | new, follow=True)
    assert "The webhook was changed." in answer.content.decode()
    webhook.refresh_from_db()
    assert (webhook.url, webhook.event_types, webhook.description) == tuple(new.values())
    event = GrantEvent.objects.get(kind="webhook_changed")
    assert event.actor_kind == "operator"
    assert (event.reason, event.note, event.ticket) == ("other", "moved", "T-1")
    assert event.details["changed"] == ["url"]
    before, after = event.details["before"], event.details["after"]
    assert (before["eventTypes"], after["eventTypes"]) == ([], ["grant.revoked"])
    assert before["url"] == after["url"] == "https://receiver.example/…"
    assert not SECRETS.search(str(event.details))
    again = client.post(page, WHY | new, follow=True)
    assert "Nothing was changed." in again.content.decode()
    assert GrantEvent.objects.filter(kind="webhook_changed").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://receiver.example/"},
        {"url": "https://user:password@receiver.example/"},
        {"url": ""},
        {"event_types": ["grant.unknown"]},
        {"description": "x" * 256},
        {"reason": ""},
    ],
)
def test_changes_that_are_refused(operator, world, webhook, wrong):
    client, before = operator(ADMINISTRATOR, world.service.organization), state()
    response = client.post(url("edit", webhook.pk), WHY | {"url": URL} | wrong)
    assert response.status_code == 200
    assert next(iter(wrong)) in response.context["form"].errors
    assert state() == before


def test_a_span_is_sent_again(operator, world, webhook, dead):
    client = operator(ADMINISTRATOR, world.service.organization)
    number_waiting()
    WebhookDelivery.objects.update(due_at=None, dead_at=now())
    page = url("replay", webhook.pk)
    ahead = {"first": "2026-01-01", "until": "2026-01-02"}
    assert "again: 0." in client.post(page, WHY | ahead, follow=True).content.decode()
    number_waiting()
    answer = client.post(page, WHY | {"first": "2026-01-01"}, follow=True)
    assert "again: 2." in answer.content.decode()
    assert WebhookDelivery.objects.filter(due_at=None).count() == 0
    event = GrantEvent.objects.filter(kind="webhook_replayed").order_by("pk").last()
    assert (event.details["count"], event.note) == (2, "moved")


def test_one_event_is_sent_again(operator, world, webhook, dead):
    client = operator(ADMINISTRATOR, world.service.organization)
    number_waiting()
    page, event = url("replay", webhook.pk), str(dead.event)
    assert "again: 1." in client.post(page, WHY | {"event": event}, follow=True).content.decode()
    assert WebhookDelivery.objects.get(pk=dead.pk).due_at is not None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "__all__"),
        ({"event": str(uuid4()), "first": "2026-01-01"}, "__all__"),
        ({"event": str(uuid4())}, "event"),
        ({"event": "x"}, "event"),
        ({"first": "yesterday-ish"}, "first"),
        ({"first": "2026-01-02", "until": "2026-01-01"}, "until"),
        ({"first": "2026-01-02", "reason": ""}, "reason"),
    ],
)
def test_spans_that_are_refused(operator, world, webhook, dead, wrong, field):
    client = operator(ADMINISTRATOR, world.service.organization)
    number_waiting()
    before = state()
    response = client.post(url("replay", webhook.pk), WHY | wrong)
    assert field in response.context["form"].errors
    assert state() == before


def test_a_disabled_webhook_is_sent_nothing_again(operator, world, webhook, dead):
    client = operator(ADMINISTRATOR, world.service.organization)
    number_waiting()
    webhook.change(BY_TEST, enabled=False)
    assert url("replay", webhook.pk) not in client.get(url("change", webhook.pk)).content.decode()
    before = state()
    response = client.post(url("replay", webhook.pk), WHY | {"first": "2026-01-01"})
    assert "nothing is sent there" in response.content.decode()
    assert state() == before


def test_a_span_that_is_too_long_says_so(operator, world, webhook, dead, monkeypatch):
    client = operator(ADMINISTRATOR, world.service.organization)
    number_waiting()
    WebhookDelivery.objects.update(due_at=None, dead_at=now())
    monkeypatch.setattr(webhook_delivery, "REPLAYED_AT_ONCE", 1)
    said = client.post(url("replay", webhook.pk), WHY | {"first": "2026-01-01"}, follow=True)
    assert "again: 1." in said.content.decode()
    assert "send the rest, too" in said.content.decode()


def test_a_service_has_so_many_webhooks(operator, world, webhook, monkeypatch):
    monkeypatch.setattr(receiver, "AT_MOST", 1)
    client = operator(ADMINISTRATOR, world.service.organization)
    data = {"service": world.service.pk, "url": URL, "signature": "v1", "once": "x"}
    answer = client.post(url("register"), data, follow=True)
    assert "webhooks at most" in answer.content.decode()
    assert Webhook.objects.count() == 1


def test_without_encryption_keys(operator, world, settings):
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"ENCRYPTION_KEYS": []}
    client = operator(ADMINISTRATOR, world.service.organization)
    data = {"service": world.service.pk, "url": URL, "signature": "v1", "once": "x"}
    page = client.post(url("register"), data, follow=True)
    assert "no ENCRYPTION_KEYS" in page.content.decode()
    assert not Webhook.objects.exists()
