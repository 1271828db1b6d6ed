"""Two tenants: nothing of one is ever seen or used at the other."""

import pytest

from grant_management.models import DPoPNonce, Grant, UsedProof

from .world import ENDPOINT, Key, certificate, make_world, now, organization_token


@pytest.fixture
def other(db):
    """A tenant of another organization that looks just the same."""
    return make_world()


@pytest.fixture
def sibling(world):
    """Another service of the same organization."""
    return make_world(world.service.organization)


def send(post, world, api_token=None, **members):
    path = f"/api/{world.service.pk}/gm"
    return post(path, {"gmAction": "QUERY"} | members, api_token=api_token or world.api_token)


@pytest.mark.parametrize("neighbour", ["other", "sibling"])
@pytest.mark.parametrize("action", ["QUERY", "REVOKE"])
def test_access_token(request, post, world, neighbour, action):
    """Bearer, key-bound and certificate-bound: none works at a neighbour's."""
    neighbour = request.getfixturevalue(neighbour)
    key, (pem, thumbprint) = Key(), certificate()
    mine, theirs = world.grant(grant_id="the-same"), neighbour.grant(grant_id="the-same")
    for binding in ({}, {"jkt": key.jkt}, {"x5t_s256": thumbprint}):
        token = world.token(mine, **binding)
        proof = key.proof(token, htu=f"{ENDPOINT}/the-same")
        members = {"accessToken": token, "dpop": proof, "clientCertificate": pem}
        answer = send(post, neighbour, gmAction=action, grantId="the-same", **members)
        assert answer.code == "A279306"
    theirs.refresh_from_db()
    assert theirs.revoked_at is None
    assert not UsedProof.objects.exists()


@pytest.mark.parametrize("neighbour", ["other", "sibling"])
def test_grant_id(request, post, world, neighbour):
    """A neighbour's grant is no grant, also where its client has the same ID."""
    neighbour = request.getfixturevalue(neighbour)
    theirs = neighbour.grant()
    for action in ("QUERY", "REVOKE"):
        answer = send(
            post, world, gmAction=action, grantId=theirs.grant_id, accessToken=world.token()
        )
        assert answer.code == "A283301"
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


def test_api_token(post, world, other, sibling):
    for neighbour in (other, sibling):
        assert send(post, neighbour, api_token=world.api_token).code == "A458201"
    assert send(post, other, api_token=organization_token(world)).code == "A458201"


def test_nonce_and_used_proof(post, world, sibling):
    """A nonce is its service's; and a proof used there is not used here."""
    key = Key()
    nonces = [DPoPNonce.objects.at(one.service, now()).current for one in (world, sibling)]
    assert nonces[0] != nonces[1]
    for one in (world, sibling):
        grant = one.grant(grant_id="the-same")
        token = one.token(grant, jkt=key.jkt, value="the-same-token")
        proof = key.proof(token, htu=f"{ENDPOINT}/the-same", jti="the-same")
        assert send(post, one, grantId="the-same", accessToken=token, dpop=proof).action == "OK"


def test_lock_and_cut_off(post, world, sibling):
    from grant_management.models import Actor, Reason

    world.client.lock(Actor.command("test"), Reason(""))
    world.service.move_cut_off(Actor.command("test"), Reason(""))
    grant = sibling.grant()
    answer = send(post, sibling, grantId=grant.grant_id, accessToken=sibling.token(grant))
    assert answer.action == "OK"


def test_revoke_reaches_one_grant_alone(post, world, sibling):
    mine, second = world.grant(grant_id="the-same"), world.grant()
    theirs = sibling.grant(grant_id="the-same")
    token = world.token(mine)
    assert (
        send(post, world, gmAction="REVOKE", grantId="the-same", accessToken=token).code
        == "A277001"
    )
    alive = set(Grant.objects.filter(revoked_at=None).values_list("pk", flat=True))
    assert alive == {second.pk, theirs.pk}
