"""The API of streams: its right, its answers, and what it refuses."""

import json

import pytest
from cryptography.fernet import Fernet
from django.test import Client as HTTP

from grant_management.models import GrantEvent, SigningKey, Stream
from grant_management.protocol.shared_signals import SESSION_REVOKED, SUPPORTED

from ..ssf_receiver import POLL, PUSH
from ..world import api_token_of, make_world

URL = "https://receiver.example/events"
PUSHED = {"delivery": {"method": PUSH, "endpoint_url": URL}}


@pytest.fixture(autouse=True)
def keys(settings):
    keys = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | keys


@pytest.fixture
def token(world):
    organization = world.service.organization
    return api_token_of(organization=organization, service=world.service, can_manage_streams=True)


@pytest.fixture
def ask(world, token):
    """A call with that right: status and answer."""

    def send(method, path, members=None, *, api_token=token, service=None):
        body = b"" if members is None else json.dumps(members).encode()
        response = HTTP(raise_request_exception=False).generic(
            method,
            f"/api/{(service or world.service).pk}/ssf/{path}",
            body,
            "application/json",
            headers={"Authorization": f"Bearer {api_token}"},
        )
        assert response["Cache-Control"] == "no-store"
        return response.status_code, json.loads(response.content) if response.content else None

    return send


def code(answer):
    status, body = answer
    return status, body["resultCode"]


def routes(stream):
    """Each route, with a request that is in order."""
    at = {"stream_id": stream}
    subject = {"subject": {"format": "complex", "application": {"format": "opaque", "id": "a"}}}
    return [
        ("POST", "streams", {}),
        ("GET", "streams", None),
        ("GET", f"streams?stream_id={stream}", None),
        ("PATCH", "streams", at | {"description": "x"}),
        ("PUT", "streams", at),
        ("GET", f"status?stream_id={stream}", None),
        ("POST", "status", at | {"status": "paused"}),
        ("POST", "subjects/add", at | subject),
        ("POST", "subjects/remove", at | subject),
        ("POST", "verification", at),
        ("POST", f"streams/{stream}/poll", {}),
        ("DELETE", f"streams?stream_id={stream}", None),
    ]


def test_each_route_needs_the_right(world, ask):
    made = ask("POST", "streams", {})[1]["stream_id"]
    before = GrantEvent.objects.count()
    for method, path, members in routes(made):
        refused = ask(method, path, members, api_token=world.api_token)
        assert code(refused) == (403, "A292302"), path
        assert code(ask(method, path, members, api_token="x" * 43)) == (401, "A458101")
    assert GrantEvent.objects.count() == before


def test_a_stream_is_its_receivers_alone(world, ask):
    """Neither another receiver of the service nor one of another service knows it."""
    other = make_world()
    organization = world.service.organization
    strangers = [
        (
            None,
            api_token_of(organization=organization, service=world.service, can_manage_streams=True),
        ),
        (
            other.service,
            api_token_of(
                organization=other.service.organization,
                service=other.service,
                can_manage_streams=True,
            ),
        ),
    ]
    made = ask("POST", "streams", {})[1]["stream_id"]
    before = GrantEvent.objects.count()
    for service, stranger in strangers:
        for method, path, members in routes(made)[2:]:
            refused = ask(method, path, members, api_token=stranger, service=service)
            assert code(refused) == (404, "A296201"), path
        assert ask("GET", "streams", api_token=stranger, service=service) == (200, [])
    assert GrantEvent.objects.count() == before


@pytest.mark.parametrize("unknown", ["018f0000-0000-7000-8000-000000000000", "-" * 36, "x", "\x00"])
def test_stream_unknown(ask, unknown):
    members = {"stream_id": unknown}
    expected = (400, "A126202") if unknown == "\x00" else (404, "A296201")
    assert code(ask("PATCH", "streams", members)) == expected
    assert code(ask("POST", "verification", members)) == expected


def test_stream_id_missing(ask):
    for method, path in (
        ("PATCH", "streams"),
        ("PUT", "streams"),
        ("POST", "status"),
        ("POST", "verification"),
    ):
        assert code(ask(method, path, {"status": "paused"})) == (400, "A126202")
    assert code(ask("DELETE", "streams")) == (400, "A126202")
    assert code(ask("GET", "status")) == (400, "A126202")


def test_the_configuration(world, client):
    answer = client.get(f"/.well-known/ssf-configuration/{world.service.pk}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    api = f"https://as.example.com/api/{world.service.pk}/ssf"
    assert answer.json() == {
        "spec_version": "1_0",
        "issuer": f"https://as.example.com/{world.service.pk}",
        "jwks_uri": f"https://as.example.com/ssf/{world.service.pk}/jwks",
        "delivery_methods_supported": [PUSH, POLL],
        "configuration_endpoint": f"{api}/streams",
        "status_endpoint": f"{api}/status",
        "add_subject_endpoint": f"{api}/subjects/add",
        "remove_subject_endpoint": f"{api}/subjects/remove",
        "verification_endpoint": f"{api}/verification",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6750"}],
        "default_subjects": "ALL",
    }


@pytest.mark.parametrize("path", ["/.well-known/ssf-configuration/{}", "/ssf/{}/jwks"])
def test_who_has_no_configuration(db, client, path):
    """A service without an endpoint looks like one that does not exist."""
    without = make_world(grant_management_endpoint="").service.pk
    for number in (without, 5, 10**19 - 1):
        answer = client.get(path.format(number))
        assert (answer.status_code, answer.json()["resultCode"]) == (404, "A001208")
    assert client.post(path.format(without)).status_code == 405


def test_a_new_stream(world, ask):
    status, made = ask("POST", "streams", PUSHED | {"events_requested": [SESSION_REVOKED, "x"]})
    assert (status, made["delivery"]) == (201, PUSHED["delivery"])
    assert made["events_requested"] == [SESSION_REVOKED, "x"]
    assert made["events_delivered"] == [SESSION_REVOKED]
    assert made["events_supported"] == list(SUPPORTED)
    assert made["iss"] == world.service.issuer
    assert ask("GET", "streams") == (200, [made])
    assert ask("GET", f"streams?stream_id={made['stream_id']}") == (200, made)
    status = {"stream_id": made["stream_id"], "status": "enabled"}
    assert ask("GET", f"status?stream_id={made['stream_id']}") == (200, status)


def test_update_and_replace(ask):
    made = ask("POST", "streams", PUSHED | {"events_requested": [SESSION_REVOKED]})[1]
    at = {"stream_id": made["stream_id"]}
    changed = made | {"description": "SIEM"}
    assert ask("PATCH", "streams", at | {"description": "SIEM"}) == (200, changed)
    assert ask("PUT", "streams", changed) == (200, changed), "read, and sent back"
    replaced = ask("PUT", "streams", at | {"description": "SIEM"})[1]
    assert (replaced["events_requested"], replaced["delivery"]["method"]) == ([], POLL)
    assert ask("PUT", "streams", replaced) == (200, replaced)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://other.example"},
        {"aud": ["x"]},
        {"events_delivered": [SESSION_REVOKED]},
        {"events_supported": []},
        {"min_verification_interval": 0},
        {"delivery": {"method": POLL, "endpoint_url": "https://other.example"}},
        {"delivery": {"method": POLL, "endpoint_url": 5}},
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_servers_properties_are_not_changed(ask, method, wrong):
    made = ask("POST", "streams", {})[1]
    before = GrantEvent.objects.count()
    assert code(ask(method, "streams", made | {"description": "x"} | wrong)) == (400, "A126202")
    assert GrantEvent.objects.count() == before


@pytest.mark.parametrize(
    "members",
    [
        {"delivery": "push"},
        {"delivery": {}},
        {"delivery": {"method": "urn:ietf:rfc:1"}},
        {"delivery": {"method": PUSH}},
        {"delivery": {"method": PUSH, "endpoint_url": "http://receiver.example/"}},
        {"delivery": {"method": PUSH, "endpoint_url": "https://a:b@receiver.example/"}},
        {"delivery": PUSHED["delivery"] | {"authorization_header": "a\r\nX: y"}},
        {"delivery": PUSHED["delivery"] | {"authorization_header": "ä"}},
        {"delivery": PUSHED["delivery"] | {"authorization_header": ""}},
        {"delivery": PUSHED["delivery"] | {"authorization_header": "x" * 4_097}},
        {"delivery": PUSHED["delivery"] | {"authorization_header": 5}},
        {"events_requested": "x"},
        {"events_requested": [5]},
        {"events_requested": ["x" * 501]},
        {"events_requested": [str(one) for one in range(101)]},
        {"description": "x" * 256},
        {"description": 5},
    ],
)
def test_members_that_are_refused(ask, members):
    assert code(ask("POST", "streams", members)) == (400, "A126202")
    assert not Stream.objects.exists()
    assert not GrantEvent.objects.exists()


@pytest.mark.parametrize(
    "members",
    [
        {"maxEvents": -1},
        {"maxEvents": "1"},
        {"returnImmediately": 1},
        {"ack": "x"},
        {"ack": [5]},
        {"setErrs": []},
        {"setErrs": {"x": "invalid_key"}},
        {"setErrs": {"x": {}}},
    ],
)
def test_polls_that_are_refused(ask, members):
    made = ask("POST", "streams", {})[1]["stream_id"]
    assert code(ask("POST", f"streams/{made}/poll", members)) == (400, "A126202")


def test_a_pushed_stream_is_not_polled(ask):
    made = ask("POST", "streams", PUSHED)[1]["stream_id"]
    assert code(ask("POST", f"streams/{made}/poll", {})) == (404, "A296201")


def test_status_and_subject_are_needed(ask):
    at = {"stream_id": ask("POST", "streams", {})[1]["stream_id"]}
    assert code(ask("POST", "status", at)) == (400, "A126202")
    assert code(ask("POST", "status", at | {"status": "off"})) == (400, "A126202")
    for one in (at, at | {"subject": "x"}, at | {"subject": {"format": 5}}):
        assert code(ask("POST", "subjects/remove", one)) == (400, "A126202")


def test_streams_not_configured(world, ask, settings):
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"ENCRYPTION_KEYS": []}
    assert code(ask("POST", "streams", PUSHED)) == (409, "A296203")
    assert not SigningKey.objects.exists()
    assert not Stream.objects.exists()


def test_a_service_without_an_endpoint(world, ask):
    world.service.grant_management_endpoint = ""
    world.service.save()
    assert code(ask("POST", "streams", {})) == (409, "A296203")


def test_methods(ask):
    assert code(ask("DELETE", "status")) == (405, "A001205")
    assert code(ask("GET", "verification")) == (405, "A001205")
