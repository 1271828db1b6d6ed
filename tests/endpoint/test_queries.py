"""How many statements a call takes, whatever hangs on the grant."""

import pytest
from django.test.utils import CaptureQueriesContext

from grant_management.models import AccessToken, ApiToken
from grant_management.protocol.digests import sha256

from ..ours import connection
from ..world import ENDPOINT, Key, now, organization_token

FRAMES = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT")


@pytest.fixture
def statements(world, post):
    """The statements of a call, without those that frame a transaction."""

    def count(*, api_token=None, **members):
        path = f"/api/{world.service.pk}/gm"
        ApiToken.objects.update(last_used_at=now())  # it is stored once a minute
        with CaptureQueriesContext(
            connection,
        ) as captured:
            answer = post(path, members, api_token=api_token or world.api_token)
        made = [query["sql"] for query in captured if not query["sql"].startswith(FRAMES)]
        return answer.code, made

    return count


def test_bearer_query_of_its_own_grant(world, statements):
    grant = world.grant()
    code, made = statements(
        gmAction="QUERY", grantId=grant.grant_id, accessToken=world.token(grant)
    )
    assert (code, len(made)) == ("A277001", 1)


@pytest.mark.parametrize("own", [True, False])
def test_bearer_query_of_another_grant(world, statements, own):
    token = world.token(world.grant() if own else None)
    code, made = statements(gmAction="QUERY", grantId=world.grant().grant_id, accessToken=token)
    assert (code, len(made)) == ("A277001", 2)


def test_organization_token_takes_no_more(world, statements):
    grant = world.grant()
    value = organization_token(world)
    members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": world.token(grant)}
    code, made = statements(api_token=value, **members)
    assert (code, len(made)) == ("A277001", 1)


def test_dpop_takes_two_more(world, statements, call):
    grant, key = world.grant(), Key()
    token = world.token(grant, jkt=key.jkt)
    members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token}
    htu = f"{ENDPOINT}/{grant.grant_id}"
    nonce = call(**members, dpop=key.proof(token, htu=htu), dpopNonceRequired=True).body[
        "dpopNonce"
    ]
    proof = key.proof(token, htu=htu, nonce=nonce)
    code, made = statements(**members, dpop=proof, dpopNonceRequired=True)
    assert (code, len(made)) == ("A277001", 3)


def tokens(world, grant, number):
    AccessToken.objects.bulk_create(
        AccessToken(
            service=world.service,
            client=world.client,
            grant=grant,
            digest=sha256(f"{grant.grant_id}-{index}"),
            issued_at=now(),
        )
        for index in range(number)
    )


def test_revoke_costs_the_same_for_one_token_and_two_thousand(world, statements):
    costs = []
    for number in (0, 2_000):
        grant = world.grant()
        token = world.token(grant)
        tokens(world, grant, number)
        code, made = statements(gmAction="REVOKE", grantId=grant.grant_id, accessToken=token)
        assert code == "A277001"
        costs.append(len(made))
    assert costs == [4, 4]


def test_no_query_of_the_endpoint_without_its_service(world, statements):
    grant = world.grant()
    for action in ("QUERY", "REVOKE"):
        token = world.token()
        _, made = statements(gmAction=action, grantId=grant.grant_id, accessToken=token)
        for sql in made[1:]:
            assert "service_id" in sql.partition("WHERE")[2] or sql.startswith("INSERT"), sql
