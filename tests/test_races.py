"""Many at the same moment, with real threads on a real PostgreSQL."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client as HTTP

from grant_management.models import DPoPNonce, Grant, GrantEvent

from .ours import connection
from .world import ENDPOINT, Key, make_world, now

THREADS = 16


@pytest.fixture
def world(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("races need a database with many writers: --db postgresql")
    return make_world()


@pytest.fixture
def together(world):
    """Send many calls at one moment; the answers, in the order of the calls."""

    def send(calls):
        barrier = Barrier(len(calls))

        def one(members):
            try:
                HTTP().get("/admin/login/")  # the connection is open before the start
                barrier.wait()
                return _post(world, members)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(one, calls))

    return send


def _post(world, members):
    headers = {"Authorization": f"Bearer {world.api_token}"}
    path = f"/api/{world.service.pk}/gm"
    response = HTTP().post(
        path, json.dumps(members), content_type="application/json", headers=headers
    )
    return json.loads(response.content)


def test_one_proof_has_one_success(world, together):
    grant, key = world.grant(), Key()
    token = world.token(grant, jkt=key.jkt)
    proof = key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}")
    members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token, "dpop": proof}
    codes = sorted(answer["resultCode"] for answer in together([members] * THREADS))
    assert codes == ["A277001"] + ["A281308"] * (THREADS - 1)


@pytest.mark.parametrize("own", [True, False])
def test_one_revoke_wins(world, together, own):
    grant = world.grant()
    token = world.token(grant if own else None)
    members = {"gmAction": "REVOKE", "grantId": grant.grant_id, "accessToken": token}
    answers = together([members] * THREADS)
    actions = [answer["action"] for answer in answers]
    assert actions.count("NO_CONTENT") == 1
    assert set(actions) <= {"NO_CONTENT", "NOT_FOUND", "UNAUTHORIZED"}
    assert GrantEvent.objects.count() == 1
    grant.refresh_from_db()
    assert (grant.access_generation, grant.refresh_generation) == (1, 1)


def test_query_beside_revoke_is_before_or_after(world, together):
    for _ in range(5):
        grant = world.grant()
        token = world.token(grant)
        members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token}
        answers = together([members | {"gmAction": "REVOKE"}] + [members] * (THREADS - 1))
        assert answers[0]["action"] == "NO_CONTENT"
        assert {answer["resultCode"] for answer in answers[1:]} <= {"A277001", "A280303", "A283301"}
        for answer in answers[1:]:
            if answer["action"] == "OK":
                assert answer["responseContent"] == '{"scopes":[{"scope":"openid"}]}'
        assert _post(world, members)["resultCode"] == "A280303"


def test_all_processes_hand_out_one_nonce(world, together):
    grant, key = world.grant(), Key()
    token = world.token(grant, jkt=key.jkt)
    members = {
        "gmAction": "QUERY",
        "grantId": grant.grant_id,
        "accessToken": token,
        "dpop": "x",
        "dpopNonceRequired": True,
    }
    nonces = {answer["dpopNonce"] for answer in together([members] * THREADS)}
    window = DPoPNonce.objects.order_by("-window").first()
    assert window.value in nonces
    assert len(nonces) == DPoPNonce.objects.count()
    assert now() < window.expires_at


def test_one_idempotency_key_makes_one_grant(world, together):
    """Sixteen at once: one is done, and all get its answer."""
    headers = {"Authorization": f"Bearer {world.api_token}", "Idempotency-Key": "k"}
    members = {"clientIdentifier": "app-1", "subject": "user-1"}
    path = f"/api/{world.service.pk}/grants"

    def send(_):
        try:
            made = HTTP().post(
                path, json.dumps(members), content_type="application/json", headers=headers
            )
            return json.loads(made.content)["grantId"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        made = set(pool.map(send, range(THREADS)))
    assert made == {Grant.objects.get().grant_id}
