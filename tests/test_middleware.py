"""The short way from a request to the app's view, and what it keeps."""

import json

import pytest
from django.test import Client, RequestFactory

from grant_management import middleware

from .world import make_world

SHORT = "grant_management.middleware.DirectAPIMiddleware"
PASSED = []


class Noting:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        PASSED.append(request.path)
        return self.get_response(request)


@pytest.fixture
def noting(settings):
    """Behind everything, as a host's own middleware may stand."""
    PASSED.clear()
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.test_middleware.Noting"]


def call(world, grant, **more):
    body = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": world.token(grant)}
    headers = {"HTTP_AUTHORIZATION": f"Bearer {world.api_token}", **more}
    path = f"/api/{world.service.pk}/auth/gm"
    return Client().post(path, json.dumps(body), "application/json", **headers)


def urls(world, grant):
    return [
        f"/api/{world.service.pk}/auth/gm",
        f"/api/{world.service.pk}/grants/{grant.grant_id}/get",
        f"/api/{world.service.pk}/no/such/route",
        f"/gm/{world.service.pk}/{grant.grant_id}",
        f"/.well-known/oauth-authorization-server/{world.service.pk}",
        "/api/servicetoken/create",
        "/api/" + "x" * 300,
    ]


def test_the_api_passes_none_of_what_stands_behind(world, noting):
    for url in urls(world, world.grant()):
        Client().post(url, b"{}", "application/json")
    assert PASSED == []
    Client().get("/admin/login/")
    Client().get("/nothing/here")
    assert PASSED == ["/admin/login/", "/nothing/here"]


@pytest.mark.django_db
def test_answers_are_the_same_without_it(settings):
    """Status, body and headers, those of the security middleware among them."""
    world = make_world()
    grant = world.grant()

    def answers():
        client = Client(headers={"X-Request-ID": "the-same"})
        told = [client.post(url, b"{}", "application/json") for url in urls(world, grant)]
        told.append(call(world, grant, HTTP_X_REQUEST_ID="the-same"))
        told += [client.get(url) for url in urls(world, grant)]
        told.append(call(world, grant, HTTP_HOST="evil.example", HTTP_X_REQUEST_ID="the-same"))
        return [(one.status_code, one.content, dict(one.headers)) for one in told]

    short = answers()
    assert {status for status, *_ in short} >= {200, 400, 401, 404, 405}
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if one != SHORT]
    assert answers() == short
    made_before_a_view = short[-1]
    assert all("Content-Security-Policy" in headers for _, _, headers in short[:-1])
    assert made_before_a_view[0] == 400


def test_a_foreign_host_is_refused_in_json(world):
    answer = call(world, world.grant(), HTTP_HOST="evil.example")
    assert answer.status_code == 400
    assert answer.json()["resultCode"] == "A126202"


def test_paths_are_not_remembered_without_bounds():
    middleware._find.cache_clear()
    for number in range(2 * middleware.REMEMBERED):
        assert middleware._of_app(RequestFactory().get(f"/gm/1/{number}")) is not None
    assert middleware._find.cache_info().currsize <= middleware.REMEMBERED
    before = middleware._find.cache_info().currsize
    long = RequestFactory().get(f"/gm/1/{'x' * middleware.LONGEST}")
    assert middleware._of_app(long) is not None
    assert middleware._find.cache_info().currsize == before
