"""Pages of streams: what they show, to whom, and what they do not."""

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Group
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grant_management.models import ApiToken, GrantEvent, SigningKey, Stream, StreamDelivery
from grant_management.protocol.shared_signals import SESSION_REVOKED, STREAM_UPDATED
from grant_management.roles import ADMINISTRATOR, VIEWER

from ..ours import connection
from ..world import BY_TEST, make_operator, make_world

SECRET = "Bearer receivers-own-secret"


@pytest.fixture
def stream(world, settings):
    keys = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | keys
    return Stream.objects.register(
        ApiToken.objects.get(),
        world.service,
        BY_TEST,
        method="push",
        url="https://receiver.example/events",
        authorization_header=SECRET,
        events_requested=[SESSION_REVOKED],
    )


def url(page, *arguments):
    return reverse(f"admin:grant_management_stream_{page}", args=arguments)


def operator(client, django_user_model, role, organization):
    user = make_operator(django_user_model, organization=organization)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)


def test_a_stream_and_the_keys_of_its_service(admin_client, world, stream):
    (old,) = SigningKey.objects.all()
    new = SigningKey.objects.rotate(world.service, BY_TEST)
    page = admin_client.get(url("change", stream.pk)).content.decode()
    assert f"{new.kid} (" in page
    assert "signs)" in page
    assert f"{old.kid} (" in page
    assert "published until" in page
    assert SESSION_REVOKED in page
    for one in (page, admin_client.get(url("changelist")).content.decode()):
        assert "receivers-own" not in one
        assert "gAAAA" not in one, "nothing that is encrypted"


def test_pausing_is_told(client, django_user_model, world, stream):
    operator(client, django_user_model, ADMINISTRATOR, world.service.organization)
    assert client.post(url("pause", stream.pk), {"reason": "other"}).status_code == 302
    stream.refresh_from_db()
    assert stream.status == "paused"
    (told,) = StreamDelivery.objects.all()
    assert (told.type, told.details) == (STREAM_UPDATED, {"status": "paused"})


def test_the_list_costs_the_same_for_many(admin_client, world, stream):
    """What waits is counted on a stream's page alone."""

    def read():
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(url("changelist")).status_code == 200
        return [one["sql"] for one in captured]

    read()
    before = len(read())
    for _ in range(3):
        token = ApiToken.objects.get()
        Stream.objects.register(token, world.service, BY_TEST, method="poll")
    assert len(read()) == before
    assert not any("streamdelivery" in one for one in read())
    assert "Waiting" in admin_client.get(url("change", stream.pk)).content.decode()


def test_who_may_look_and_who_may_act(client, django_user_model, world, stream):
    operator(client, django_user_model, VIEWER, world.service.organization)
    page = client.get(url("change", stream.pk))
    assert page.status_code == 200
    assert "https://receiver.example/…" in page.content.decode()
    assert stream.url not in page.content.decode(), "its path may be a credential"
    before = GrantEvent.objects.count()
    assert client.post(url("pause", stream.pk), {"reason": "other"}).status_code == 403
    assert GrantEvent.objects.count() == before


def test_another_organizations_operator(client, django_user_model, stream):
    operator(client, django_user_model, ADMINISTRATOR, make_world().service.organization)
    assert client.get(url("change", stream.pk)).status_code in (302, 404)
    assert str(stream.pk) not in client.get(url("changelist")).content.decode()
    client.post(url("pause", stream.pk), {"reason": "other"})
    stream.refresh_from_db()
    assert stream.status == "enabled"
