"""A body is processed whole, as its sender framed it, or not at all: on every route."""

import io
import json
import urllib.parse
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from django.test import Client as HTTP
from django.test.client import ClientHandler
from django.urls import resolve

from grant_management import urls
from grant_management.api.authlete import urls as authlete_urls
from grant_management.api.store import urls as store_urls
from grant_management.fields.reading import FORM, JSON
from grant_management.interchange.exporter import records
from grant_management.models import ApiToken, Webhook, WebhookDelivery
from grant_management.models.webhook_key import WebhookKey
from grant_management.protocol.results import Result

from ..world import BY_TEST, api_token_of, make_world, organization_token

CLIENT = {"clientIdentifier": "app-1", "subject": "user-1"}
CONTENT = {"scopes": [{"scope": "email"}], "claims": ["email"]}
BODIES = {
    "gm": {"gmAction": "REVOKE", "grantId": "g-1", "accessToken": "t-1"},
    "auth/gm": {"gmAction": "REVOKE", "grantId": "g-1", "accessToken": "t-1"},
    "auth/token/create": {"grantType": "AUTHORIZATION_CODE", "grantId": "g-1", **CLIENT},
    "auth/token/revoke": {"clientIdentifier": "app-1", "subject": "nobody"},
    "auth/introspection": {"token": "t-1", "subject": "nobody"},
    "tokens/refresh": {"refreshToken": "r-1", "clientIdentifier": "app-1"},
    "clients": {"clientIdentifier": "app-1", "locked": False, "name": "New"},
    "grants": CLIENT | CONTENT,
    "grants/check": CLIENT,
    "grants/list": CLIENT,
    "grants/g-1/get": {},
    "grants/g-1/merge": CONTENT,
    "grants/g-1/replace": CONTENT,
    "grants/g-1/revoke": {"reason": "other", "note": "a note"},
    "service/create": {"serviceName": "New"},
    "service/update": {"serviceName": "New"},
    "client/create": {"clientIdAlias": "new"},
    "client/update/app-1": {"clientName": "New"},
    "auth/token/update": {"accessToken": "t-1", "scopes": ["read"]},
    "auth/introspection/standard": {"parameters": "token=t-1"},
    "client/authorization/get/list": {"subject": "user-1"},
    "client/authorization/delete/app-1": {"subject": "user-1"},
    "client/granted_scopes/get/app-1": {"subject": "user-1"},
    "client/granted_scopes/delete/app-1": {"subject": "user-1"},
    "webhooks": {"url": "https://receiver.example/new"},
    "webhooks/w-1/update": {"enabled": True},
    "webhooks/w-1/replay": {"from": 0},
    "webhooks/w-1/deliveries": {},
    "webhooks/w-1/rotate": {},
    "webhooks/w-1/test": {},
    "webhooks/list": {},
    "webhooks/w-1/get": {},
    "webhooks/w-1/delete": {},
    "introspect": {"token": "t-1"},
    "revoke": {"token": "t-1", "token_type_hint": "access_token"},
    "servicetoken/create": {"description": "one"},
    "servicetoken/all": {},
    "servicetoken/update": {"description": "another"},
    "servicetoken/rotate": {},
    "servicetoken/revoke": {},
    "organizationtoken/create": {"description": "one"},
    "organizationtoken/all": {},
    "organizationtoken/update": {"description": "another"},
    "organizationtoken/rotate": {},
    "organizationtoken/revoke": {},
}
"""What each route takes. `w-1` stands for the webhook of the world."""
WITHOUT = {
    *("grants/g-1/get", "grants/g-1/revoke", "servicetoken/all", "organizationtoken/all"),
    *(
        "webhooks/list",
        *(f"webhooks/w-1/{one}" for one in ["deliveries", "rotate", "test", "get", "delete"]),
    ),
}
"""Routes for which no body is a request too."""


class Door:
    """A route, who may use it, and what it takes."""

    def __init__(self, world, route):
        self.route = route
        self.members = {"organizationId": world.service.organization_id} | BODIES[route]
        self.api_token, self.path = world.api_token, f"/api/{world.service.pk}/{route}"
        if route.partition("/")[0] in ("service", "client"):
            rights = ("can_manage_tokens", "can_manage_services", "can_manage_clients")
            self.api_token = organization_token(world, **dict.fromkeys(rights, True))
            self.path = "/api/service/create" if route == "service/create" else self.path
        if route.partition("/")[0] in ("servicetoken", "organizationtoken"):
            self.api_token = organization_token(world, can_manage_tokens=True)
            self.path = f"/api/{route}"
            plain = ApiToken.objects.filter(service=None, can_manage_tokens=False)
            known = plain if "organization" in route else None
            known = known or ApiToken.objects.exclude(service=None)
            self.members |= {"serviceId": world.service.pk, "tokenId": str(known[0].pk)}
        if route.startswith("webhooks"):
            webhook = Webhook.objects.of(world.service).first()
            self.path = self.path.replace("w-1", str(webhook.pk if webhook else UUID(int=0)))
            who = {"organization": world.service.organization, "service": world.service}
            self.api_token = api_token_of(can_manage_webhooks=True, **who)

    def body(self, media_type):
        if media_type == JSON:
            return json.dumps(self.members).encode()
        flat = {name: one for name, one in self.members.items() if isinstance(one, str)}
        return urllib.parse.urlencode({"x": "y"} | flat).encode()

    def environ(self, stream, media_type=JSON, **more):
        """What a server makes of a request."""
        values = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": self.path,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "CONTENT_TYPE": media_type,
            "HTTP_AUTHORIZATION": f"Bearer {self.api_token}",
            "wsgi.url_scheme": "http",
            "wsgi.input": stream,
        }
        return values | more


@pytest.fixture(autouse=True)
def keys(settings):
    """Those of webhooks are kept encrypted."""
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()]
    }


@pytest.fixture
def doors(world):
    """Every route, on a world in which each of the bodies would do something."""
    grant = world.grant(grant_id="g-1")
    world.token(grant, value="t-1")
    world.refresh_token(grant, value="r-1")
    organization_token(world)
    Webhook.objects.register(world.service, BY_TEST, signature="v1", url="https://one.example/hook")
    return [Door(world, route) for route in BODIES]


def everything():
    """An export, and the webhooks, which are in none."""
    models = (Webhook, WebhookKey, WebhookDelivery)
    return [*records(None), *(list(model.objects.order_by("pk").values()) for model in models)]


def answer(response):
    return response.status_code, json.loads(response.content)["resultCode"]


def send(door, body, media_type=JSON, **environ):
    """By Django's test client."""
    headers = {"HTTP_AUTHORIZATION": f"Bearer {door.api_token}", "CONTENT_TYPE": media_type}
    return TEST_CLIENT.generic("POST", door.path, body, media_type, **headers | environ)


def serve(environ):
    return SERVER(environ)


TEST_CLIENT, SERVER = HTTP(raise_request_exception=False), ClientHandler()


class Broken(io.BytesIO):
    """A body that breaks off, where the server says so."""

    def read(self, size=-1):
        part = super().read(size)
        if not part:
            raise ConnectionResetError
        return part


class Endless(io.BytesIO):
    """A body without an end; `given` are the bytes that were asked for."""

    given = 0

    def read(self, size=-1):
        assert size > 0
        self.given += size
        return b" " * size


def test_every_route_is_here(db):
    """One that is added has to be added here, with whether it may come without a body."""
    world = make_world()
    views = {resolve(Door(world, route).path).func for route in BODIES}
    patterns = [*store_urls.urlpatterns, *authlete_urls.urlpatterns, *urls.urlpatterns]
    doors = {pattern.callback for pattern in patterns if not hasattr(pattern, "url_patterns")}
    doors = {one for one in doors if "POST" in one.view_class.methods}
    others = {"GrantResourceView", "MetadataView", "UnknownRouteView", "ForeignOperationView"}
    assert {one for one in doors if one.view_class.__name__ not in others} == views


@pytest.fixture
def refused(doors):
    """Send something to every route: each must refuse it so, and nothing may have happened."""

    def check(result, attempt):
        before = everything()
        answers = {door.route: answer(attempt(door)) for door in doors}
        assert answers == dict.fromkeys(BODIES, (result.status, result.code))
        assert everything() == before

    return check


CUTS = [lambda body: 0, lambda body: 1, lambda body: len(body) // 2, lambda body: len(body) - 1]


@pytest.mark.parametrize("media_type", [JSON, FORM])
@pytest.mark.parametrize("cut", [*CUTS, lambda body: body.rfind(b"&")])
def test_body_that_ends_before_its_length(refused, media_type, cut):
    """Whatever is left of it, and whichever way the server shows it."""

    def part(door):
        body = door.body(media_type)
        return body[: cut(body)], media_type, {"CONTENT_LENGTH": str(len(body))}

    def by_test_client(door):
        body, _, size = part(door)
        return send(door, body, media_type, **size)

    def by_server(stream):
        def attempt(door):
            body, _, size = part(door)
            return serve(door.environ(stream(body), media_type, **size))

        return attempt

    for attempt in (by_test_client, by_server(io.BytesIO), by_server(Broken)):
        refused(Result.BODY_UNREADABLE, attempt)


@pytest.mark.parametrize("size", [{}, {"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "0"}])
@pytest.mark.parametrize("media_type", [JSON, ""])
def test_absent_body(doors, size, media_type):
    """What was lost on the way is not taken for nothing."""
    before = everything()
    for door in doors:
        response = serve(door.environ(io.BytesIO(), media_type, **size))
        if door.route in WITHOUT:
            assert response.status_code == 200, door.route
            before = everything()
        else:
            refusal = Result.BODY_MISSING if media_type else Result.MEDIA_TYPE_UNSUPPORTED
            assert answer(response) == (refusal.status, refusal.code), door.route
            assert everything() == before


@pytest.mark.parametrize("media_type", ["", "text/plain", "multipart/form-data; boundary=x"])
def test_media_type(refused, media_type):
    """Before the content: whole, or cut off."""
    refused(Result.MEDIA_TYPE_UNSUPPORTED, lambda door: send(door, door.body(JSON), media_type))
    refused(
        Result.MEDIA_TYPE_UNSUPPORTED,
        lambda door: send(door, b"{", media_type, CONTENT_LENGTH="2"),
    )


def test_content_coding(refused):
    refused(
        Result.MEDIA_TYPE_UNSUPPORTED,
        lambda door: send(door, door.body(JSON), HTTP_CONTENT_ENCODING="gzip"),
    )


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
BY_HTTP_2 = {"wsgi.input_terminated": True}


@pytest.mark.parametrize("route", BODIES)
@pytest.mark.parametrize("framing", [CHUNKED, BY_HTTP_2])
def test_body_without_a_length(doors, route, framing):
    """Read where the server tells where it ends."""
    door = next(door for door in doors if door.route == route)
    response = serve(door.environ(io.BytesIO(door.body(JSON)), **framing))
    assert response.status_code == 200


def test_form_without_a_length(doors):
    door = next(door for door in doors if door.route == "introspect")
    response = serve(door.environ(io.BytesIO(door.body(FORM)), FORM, **CHUNKED))
    assert json.loads(response.content)["active"] is True


@pytest.mark.parametrize("media_type", [JSON, FORM])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("framing", [CHUNKED, BY_HTTP_2])
def test_body_without_a_length_that_breaks_off(refused, media_type, cut, framing):
    def attempt(door):
        body = door.body(media_type)
        return serve(door.environ(Broken(body[: cut(body)]), media_type, **framing))

    refused(Result.BODY_UNREADABLE, attempt)


@pytest.mark.parametrize("media_type", [JSON, FORM])
@pytest.mark.parametrize(
    "framing",
    [
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        CHUNKED | {"HTTP_TRANSFER_ENCODING": "gzip, chunked"},
        CHUNKED | {"SERVER_SOFTWARE": "Granian"},
        BY_HTTP_2 | {"SERVER_SOFTWARE": "Granian"},
    ],
)
def test_body_whose_end_nobody_tells(refused, media_type, framing):
    """The server does not read it, does not decode it, or hides where it broke off."""

    def attempt(door):
        return serve(door.environ(io.BytesIO(door.body(media_type)), media_type, **framing))

    refused(Result.LENGTH_REQUIRED, attempt)


@pytest.mark.parametrize("more", [{}, CHUNKED])
def test_two_lengths(refused, more):
    def attempt(door):
        body = door.body(JSON)
        framing = {"CONTENT_LENGTH": str(len(body)), "HTTP_TRANSFER_ENCODING": "chunked"} | more
        return serve(door.environ(io.BytesIO(body), **framing))

    refused(Result.BODY_UNREADABLE, attempt)


@pytest.mark.parametrize("length", ["+9", " 9", "9 ", "9,9", "9, 9", "0x9", "-9", "٩"])
def test_lengths_that_are_none(refused, length):
    def attempt(door):
        return serve(door.environ(io.BytesIO(b'{"x":"y"}'), CONTENT_LENGTH=length))

    refused(Result.BODY_UNREADABLE, attempt)


@pytest.mark.parametrize("of_django", [10, None, 2_621_440])
def test_too_large(refused, settings, of_django):
    """A limit of its own, whatever Django's is; no more is read than shows that it is too much."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = of_django
    settings.GRANT_MANAGEMENT = {"MAX_BODY_SIZE": 3_000_000}
    streams = []

    def attempt(door, **framing):
        streams.append(Endless())
        return serve(door.environ(streams[-1], **framing))

    refused(Result.BODY_TOO_LARGE, lambda door: attempt(door, **CHUNKED))
    assert {stream.given for stream in streams} == {3_000_001}
    streams.clear()
    refused(Result.BODY_TOO_LARGE, lambda door: attempt(door, CONTENT_LENGTH="3000001"))
    assert {stream.given for stream in streams} == {0}


@pytest.mark.parametrize("of_django", [10, None, 2_621_440])
def test_not_too_large(doors, settings, of_django):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = of_django
    settings.GRANT_MANAGEMENT = {"MAX_BODY_SIZE": 3_000_000}
    for door in doors:
        if door.route in ("auth/introspection", "introspect", "grants/check", "servicetoken/all"):
            body = json.dumps(door.members | {"x": "y" * 2_700_000}).encode()
            assert send(door, body).status_code == 200
            assert serve(door.environ(io.BytesIO(body), **CHUNKED)).status_code == 200


def test_body_stays_readable_for_the_host(world, settings):
    """A middleware that logs bodies afterwards, or reads them before."""
    first, *others = settings.MIDDLEWARE
    settings.MIDDLEWARE = [first, "tests.api.test_bodies.Logging", *others]
    body = json.dumps({"clientIdentifier": "app-2"})
    for first in (False, True):
        Logging.first, Logging.seen = first, []
        headers = {"Authorization": f"Bearer {world.api_token}"}
        path = f"/api/{world.service.pk}/clients"
        response = HTTP().post(path, body, content_type=JSON, headers=headers)
        assert response.json()["clientIdentifier"] == "app-2"
        assert Logging.seen == [body.encode()] * (2 if first else 1)


class Logging:
    """A middleware of a host."""

    first = False
    seen: list = []

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if self.first:
            self.seen.append(request.body)
        response = self.get_response(request)
        self.seen.append(request.body)
        return response
