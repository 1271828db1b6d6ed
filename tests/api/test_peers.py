"""Clients that this project did not write, unmodified, over real HTTP."""

import json

import pytest
import requests
from authlete.api.authlete_api_exception import AuthleteApiException
from authlete.api.authlete_api_impl import AuthleteApiImpl
from authlete.conf.authlete_configuration import AuthleteConfiguration
from authlete.dto.grant_management_action import GrantManagementAction
from authlete.dto.grant_management_request import GrantManagementRequest
from authlete.types.gm_action import GMAction
from binapy import BinaPy
from requests_oauth2client import DPoPKey

from ..world import ENDPOINT, Key, make_world


@pytest.fixture
def world(transactional_db):
    return make_world()


@pytest.fixture
def sdk(world, live_server):
    """Authlete's Python SDK, API version V3; only its base URL is ours."""
    settings = {
        "apiVersion": "V3",
        "baseUrl": f"{live_server.url}/",
        "serviceApiKey": str(world.service.pk),
        "serviceAccessToken": world.api_token,
    }
    return AuthleteApiImpl(AuthleteConfiguration(settings))


@pytest.fixture
def raw(monkeypatch):
    """What came over the wire last: the SDK cannot hold every right answer."""
    seen = []
    send = requests.Session.send

    def spy(session, request, **options):
        response = send(session, request, **options)
        seen.append(response)
        return response

    monkeypatch.setattr(requests.Session, "send", spy)
    return lambda: json.loads(seen[-1].text)


def request(**members):
    return GrantManagementRequest(members)


class TestAuthleteSDK:
    def test_query(self, world, sdk):
        grant = world.grant()
        answer = sdk.gm(
            request(gmAction=GMAction.QUERY, grantId=grant.grant_id, accessToken=world.token(grant))
        )
        assert answer.action is GrantManagementAction.OK
        assert answer.resultCode == "A277001"
        assert json.loads(answer.responseContent) == {"scopes": [{"scope": "openid"}]}

    def test_refusals(self, world, sdk):
        grant = world.grant(client=world.client_named("other"))
        token = world.token()
        answer = sdk.gm(request(gmAction=GMAction.QUERY, grantId=grant.grant_id, accessToken=token))
        assert (answer.action, answer.resultCode) == (GrantManagementAction.FORBIDDEN, "A284301")
        answer = sdk.gm(request(gmAction=GMAction.QUERY, grantId=grant.grant_id))
        assert (answer.action, answer.resultCode) == (GrantManagementAction.UNAUTHORIZED, "A279301")
        answer = sdk.gm(request(gmAction=GMAction.CREATE, grantId=grant.grant_id))
        assert (answer.action, answer.resultCode) == (GrantManagementAction.CALLER_ERROR, "A278203")

    def test_nonce_and_proof(self, world, sdk):
        key, grant = Key(), world.grant()
        token = world.token(grant, jkt=key.jkt)
        members = {"gmAction": GMAction.QUERY, "grantId": grant.grant_id, "accessToken": token}
        htu = f"{ENDPOINT}/{grant.grant_id}"
        first = sdk.gm(request(**members, dpop=key.proof(token, htu=htu), dpopNonceRequired=True))
        assert first.action is GrantManagementAction.UNAUTHORIZED
        proof = key.proof(token, htu=htu, nonce=first.dpopNonce)
        second = sdk.gm(request(**members, dpop=proof, dpopNonceRequired=True))
        assert second.action is GrantManagementAction.OK

    def test_answers_that_it_cannot_hold(self, world, sdk, raw):
        """Its enum lacks NO_CONTENT and NOT_FOUND; the answers are right all the same."""
        grant = world.grant()
        members = {"grantId": grant.grant_id, "accessToken": world.token()}
        with pytest.raises(KeyError):
            sdk.gm(request(gmAction=GMAction.REVOKE, **members))
        assert raw()["action"] == "NO_CONTENT"
        with pytest.raises(KeyError):
            sdk.gm(request(gmAction=GMAction.QUERY, **members))
        assert raw()["action"] == "NOT_FOUND"

    def test_its_errors_carry_our_message(self, world, sdk):
        sdk._accessToken = "unknown"
        with pytest.raises(AuthleteApiException, match="A458101") as error:
            sdk.gm(request())
        assert error.value.response.status_code == 401


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "PS256", "RS256", "EdDSA"])
def test_proofs_of_requests_oauth2client(world, live_server, alg):
    key = DPoPKey.generate(alg)
    grant = world.grant()
    token = world.token(grant, jkt=key.dpop_jkt)
    url = f"{live_server.url}/api/{world.service.pk}/auth/gm"

    def call(nonce=None):
        proof = key.proof("GET", f"{ENDPOINT}/{grant.grant_id}", ath=_ath(token), nonce=nonce)
        members = {
            "gmAction": "QUERY",
            "grantId": grant.grant_id,
            "accessToken": token,
            "dpop": str(proof),
            "dpopNonceRequired": True,
        }
        headers = {"Authorization": f"Bearer {world.api_token}"}
        return requests.post(url, json=members, headers=headers, timeout=10).json()

    challenged = call()
    assert challenged["resultCode"] == "A281309"
    assert call(challenged["dpopNonce"])["resultCode"] == "A277001"


def _ath(token):
    return BinaPy(token).to("sha256").to("b64u").ascii()
