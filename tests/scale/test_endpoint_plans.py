"""The endpoint and the purge with a million grants: by index, all of it."""

import pytest
from django.test import Client

from grant_management.models import AccessToken, ApiToken, Grant, RefreshToken, Service
from grant_management.models.purge import EXPIRING, expired
from grant_management.protocol.digests import sha256

from ..world import BY_TEST, ENDPOINT, Key, now
from .plans import nodes, plan_of, read_whole, statements

INDEXED = {"Index Scan", "Index Only Scan", "Bitmap Index Scan", "Bitmap Heap Scan"}


@pytest.fixture
def api_token(big):
    fields = {"organization": big.organization, "service": big, "actor": BY_TEST}
    return ApiToken.objects.issue(**fields)[1]


def call(service, api_token, number, action, **more):
    with statements() as made:
        answer = Client().post(
            f"/api/{service.pk}/auth/gm",
            {
                "gmAction": action,
                "grantId": f"g-{number:010d}",
                "accessToken": f"access-{number}",
                **more,
            },
            content_type="application/json",
            headers={"Authorization": f"Bearer {api_token}"},
        )
    return answer.json()["resultCode"], made


@pytest.mark.parametrize("action", ["QUERY", "REVOKE"])
def test_calls(big, api_token, action):
    code, made = call(big, api_token, 1_000, action)
    assert code == "A277001"
    assert read_whole(made) == []


def test_a_call_with_dpop(big, api_token):
    key, number = Key(), 1_001
    rows = AccessToken.objects.filter(service=big, digest=sha256(f"access-{number}"))
    rows.update(jkt=key.jkt)
    htu = f"{ENDPOINT}/g-{number:010d}"
    proof = key.proof(f"access-{number}", htu=htu)
    code, made = call(big, api_token, number, "QUERY", dpop=proof)
    assert code == "A277001"
    assert read_whole(made) == []


def test_the_rows_of_a_call_are_found_by_index(big, api_token):
    """Of the large tables nothing is read but by an index."""
    code, made = call(big, api_token, 1_000, "QUERY")
    assert code == "A277001"
    scans = [
        node["Node Type"]
        for sql in made[:1]  # what else is sent is for the log of calls
        for node in nodes(plan_of(sql))
        if node.get("Relation Name", "").endswith(("_grant", "_accesstoken"))
    ]
    assert len(scans) == 2
    assert set(scans) <= INDEXED


@pytest.mark.parametrize("model", EXPIRING, ids=lambda model: model.__name__)
def test_the_purge(big, model):
    with statements() as made:
        list(expired(model, big, now()).values_list("pk", flat=True)[:500])
    assert read_whole(made) == []


def test_the_data_is_as_large_as_it_says(big, request):
    number = request.config.getoption("--grants")
    assert Service.objects.count() == 2
    for model in (Grant, AccessToken, RefreshToken):
        # And what is long.
        assert number <= model.objects.filter(service=big).count() < 1.1 * number
