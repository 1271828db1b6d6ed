"""A call leaves nothing for the garbage collector: its pauses are the tail of the latencies."""

import gc
import json

import pytest
from django.test import RequestFactory
from django.urls import resolve

from ..world import ENDPOINT, Key

CALLS = 20


@pytest.fixture
def left_behind():
    """How many objects a request leaves in cycles, on average."""

    def count(requests):
        path = requests[0].path
        view, _arguments, fields = resolve(path)
        for request in requests[:2]:
            assert view(request, **fields).status_code == 200
        gc.collect()
        gc.disable()
        try:
            for request in requests[2:]:
                view(request, **fields)
            return gc.collect() / len(requests[2:])
        finally:
            gc.enable()

    return count


def requests_of(world, bodies):
    make = RequestFactory().post
    headers = {"Authorization": f"Bearer {world.api_token}"}
    path = f"/api/{world.service.pk}/auth/gm"
    return [
        make(path, json.dumps(body), content_type="application/json", headers=headers)
        for body in bodies
    ]


def query(grant, token, **more):
    return {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token, **more}


def test_query(world, left_behind):
    grant = world.grant()
    requests = requests_of(world, [query(grant, world.token(grant))] * CALLS)
    assert left_behind(requests) == 0


def test_query_with_dpop(world, left_behind):
    grant, key = world.grant(), Key()
    token, htu = world.token(grant, jkt=key.jkt), f"{ENDPOINT}/{grant.grant_id}"
    bodies = [query(grant, token, dpop=key.proof(token, htu=htu)) for _ in range(CALLS)]
    assert left_behind(requests_of(world, bodies)) == 0


def test_a_refusal(world, left_behind):
    grant = world.grant()
    requests = requests_of(world, [query(grant, "unknown")] * CALLS)
    assert left_behind(requests) == 0


def test_revoke(world, left_behind):
    bodies = []
    for _ in range(CALLS):
        grant = world.grant()
        bodies.append(query(grant, world.token(grant)) | {"gmAction": "REVOKE"})
    assert left_behind(requests_of(world, bodies)) <= 5
