"""Clients that this project did not write, unmodified, over real HTTP."""

import json

import pytest
import requests
from authlete.api.authlete_api_exception import AuthleteApiException
from authlete.api.authlete_api_impl import AuthleteApiImpl
from authlete.conf.authlete_configuration import AuthleteConfiguration
from authlete.dto.authorization_request import AuthorizationRequest
from authlete.dto.client import Client
from authlete.dto.client_authorization_get_list_request import ClientAuthorizationGetListRequest
from authlete.dto.grant_management_action import GrantManagementAction
from authlete.dto.grant_management_request import GrantManagementRequest
from authlete.dto.introspection_action import IntrospectionAction
from authlete.dto.introspection_request import IntrospectionRequest
from authlete.dto.service import Service
from authlete.dto.standard_introspection_request import StandardIntrospectionRequest
from authlete.dto.token_create_action import TokenCreateAction
from authlete.dto.token_create_request import TokenCreateRequest
from authlete.dto.token_revoke_request import TokenRevokeRequest
from authlete.dto.token_update_request import TokenUpdateRequest
from authlete.types.gm_action import GMAction
from authlete.types.grant_type import GrantType
from binapy import BinaPy
from requests_oauth2client import DPoPKey

from grant_management.models import ApiToken

from ..world import ENDPOINT, Key, make_world, organization_token


@pytest.fixture
def world(transactional_db):
    return make_world()


@pytest.fixture
def sdk(world, live_server):
    """Authlete's Python SDK, API version V3; only its base URL is ours."""
    ApiToken.objects.update(can_manage_clients=True)
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

    def test_clients(self, world, sdk):
        made = sdk.createClient(Client({"clientName": "Budget", "clientIdAlias": "budget"}))
        assert (made.clientName, made.clientIdAlias, made.locked) == ("Budget", "budget", False)
        made.clientName, made.locked = "Renamed", True
        changed = sdk.updateClient(made)
        assert (changed.clientName, changed.locked) == ("Renamed", True)
        assert sdk.getClient(made.clientId).clientName == "Renamed"
        listed = sdk.getClientList(start=0, end=10)
        assert (listed.totalCount, len(listed.clients)) == (2, 2)
        assert sdk.deleteClient(made.clientId) == ""
        with pytest.raises(AuthleteApiException, match="A291205"):
            sdk.getClient(made.clientId)

    def test_services(self, world, sdk):
        sdk._accessToken = organization_token(world, can_manage_services=True)
        made = sdk.createService(Service({"serviceName": "Other"}))
        assert (made.serviceName, made.accessTokenDuration) == ("Other", 3_600)
        assert sdk.getServiceList(start=0, end=10).totalCount == 2
        mine = sdk.getService(world.service.pk)
        assert mine.grantManagementEndpoint == ENDPOINT
        mine.dpopNonceRequired = True
        assert sdk.updateService(mine).dpopNonceRequired is True
        assert sdk.deleteService(world.service.pk) is None
        with pytest.raises(AuthleteApiException, match="A458201"):
            sdk.getService(world.service.pk)

    def test_tokens(self, world, sdk):
        value = world.token(world.grant())
        (listed,) = sdk.getTokenList(clientIdentifier="app-1", subject="user-1").accessTokens
        assert listed.clientId == world.client.pk
        asked = TokenUpdateRequest({"accessTokenHash": listed.accessTokenHash, "scopes": ["read"]})
        assert sdk.tokenUpdate(asked).scopes == ["read"]
        request = StandardIntrospectionRequest({"parameters": f"token={value}"})
        answer = sdk.standardIntrospection(request)
        assert json.loads(answer.responseContent)["scope"] == "read"
        sdk.tokenDelete(value)
        answer = sdk.standardIntrospection(request)
        assert json.loads(answer.responseContent) == {"active": False}

    def test_a_token_from_its_creation_to_its_end(self, world, sdk):
        members = {"grantType": GrantType.AUTHORIZATION_CODE, "clientId": world.client.pk}
        made = sdk.tokenCreate(
            TokenCreateRequest({**members, "subject": "user-1", "scopes": ["read"]})
        )
        assert (made.action, made.scopes) == (TokenCreateAction.OK, ["read"])
        asked = IntrospectionRequest({"token": made.accessToken, "scopes": ["read"]})
        answer = sdk.introspection(asked)
        assert (answer.action, answer.usable) == (IntrospectionAction.OK, True)
        assert (answer.clientId, answer.subject) == (world.client.pk, "user-1")
        ended = sdk.tokenRevoke(TokenRevokeRequest({"accessTokenIdentifier": made.accessToken}))
        assert ended.count == 1
        assert sdk.introspection(asked).usable is False

    def test_consents(self, world, sdk, raw):
        world.token(world.grant())
        granted = sdk.getGrantedScopes(world.client.pk, "user-1")
        assert (granted.mergedGrantedScopes, granted.latestGrantedScopes) == (["openid"],) * 2
        with pytest.raises(AttributeError):  # a set, where its base class has a dictionary
            sdk.getClientAuthorizationList(ClientAuthorizationGetListRequest({"subject": "user-1"}))
        assert [one["clientIdAlias"] for one in raw()["clients"]] == ["app-1"]
        sdk.deleteGrantedScopes(world.client.pk, "user-1")
        assert sdk.getGrantedScopes(world.client.pk, "user-1").mergedGrantedScopes is None
        sdk.deleteClientAuthorization(world.client.pk, "user-1")

    def test_what_is_not_here(self, sdk):
        with pytest.raises(AuthleteApiException, match=r"A001210.*docs/reference/authlete\.md"):
            sdk.authorization(AuthorizationRequest({"parameters": "response_type=code"}))

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
