"""Published clients from npm, unmodified, over real HTTP."""

import pytest

from ..world import Key, api_token_of, make_world, organization_token


@pytest.fixture
def world(transactional_db):
    return make_world()


@pytest.mark.xdist_group("node")
def test_the_whole_life_from_typescript(world, live_server, node):
    """Authlete's SDK registers tokens, introspects, and manages the grant."""
    said = node(
        "authlete.mjs",
        base=live_server.url,
        apiToken=world.api_token,
        serviceId=str(world.service.pk),
    )
    assert said == {
        "pending": "pending",
        "created": "OK",
        "ofGrant": True,
        "introspected": "OK",
        "sameGrant": True,
        "grant": {"scopes": [{"scope": "openid"}]},
        "queried": "OK",
        "merged": '{"scopes":[{"scope":"openid read"}]}',
        "refreshAfterMerge": "A291301",
        "afterReplace": "UNAUTHORIZED",
        "refreshed": "OK",
        "reused": "A291301",
        "family": "A291301",
        "revoked": "NO_CONTENT",
        "again": "UNAUTHORIZED",
        "refusedToken": "FORBIDDEN",
        "count": 1,
        "error": 400,
    }


HERE = [
    "auth/introspection",
    "auth/introspection/standard",
    "auth/token/create",
    "auth/token/delete/{accessTokenIdentifier}",
    "auth/token/get/list",
    "auth/token/revoke",
    "auth/token/update",
    "client/authorization/delete/{clientId}/{subject}",
    "client/authorization/get/list/{subject}",
    "client/create",
    "client/delete/{clientId}",
    "client/get/list",
    "client/get/{clientId}",
    "client/granted_scopes/delete/{clientId}/{subject}",
    "client/granted_scopes/get/{clientId}/{subject}",
    "client/update/{clientId}",
    "gm",
    "service/create",
    "service/delete",
    "service/get",
    "service/get/list",
    "service/update",
]


@pytest.mark.xdist_group("node")
def test_management_from_typescript(world, live_server, node):
    """Every management operation by the SDK, and which of its operations are here."""
    said = node(
        "management.mjs",
        base=live_server.url,
        organizationToken=organization_token(world, can_manage_services=True),
        serviceToken=api_token_of(
            organization=world.service.organization,
            service=world.service,
            can_manage_clients=True,
        ),
        serviceId=str(world.service.pk),
    )
    here, elsewhere = (said.pop(name) for name in ("here", "elsewhere"))
    assert sorted(here) == HERE
    assert len(elsewhere) > 40
    assert said == {
        "service": {
            "apiKey": "number",
            "serviceName": "From Node",
            "grantManagementActionRequired": False,
            "accessTokenDuration": 3_600,
            "refreshTokenDuration": 2_592_000,
            "dpopNonceRequired": False,
            "dpopNonceDuration": 60,
            "allowableClockSkew": 60,
        },
        "renamed": ["Renamed", "https://as.example.com/gm", 60],
        "got": "Renamed",
        "services": [0, 10, 2, 2],
        "deleted": None,
        "gone": 403,
        "notItsOwn": 403,
        "client": {
            "clientId": "number",
            "clientIdAlias": "budget",
            "clientIdAliasEnabled": True,
            "clientName": "Budget",
            "locked": False,
        },
        "nameless": False,
        "clientGot": "Budget",
        "clientLocked": True,
        "clients": [1, 3, 3, 2],
        "tokens": [1, "Budget", "user/1", ["read"], True],
        "updated": ["OK", ["read", "write"], 0],
        "notFound": "NOT_FOUND",
        "introspected": ["OK", True],
        "tokenDeleted": None,
        "introspectedAgain": ["OK", False],
        "authorized": [1, "Budget", "user/1"],
        "granted": "user/1",
        "scopesDeleted": "A291001",
        "authorizationDeleted": "A291001",
        "unauthorized": 0,
        "clientDeleted": None,
        "clientGone": 404,
    }


@pytest.mark.xdist_group("node")
def test_oauth4webapi_at_the_drafts_endpoint(world, live_server, node):
    world.service.dpop_nonce_required = True
    world.service.grant_management_endpoint = f"{live_server.url}/gm/{world.service.pk}"
    world.service.save()
    key, grant = Key(), world.grant()
    token = world.token(grant, jkt=key.jkt)
    said = node(
        "oauth4webapi.mjs",
        url=f"{world.service.grant_management_endpoint}/{grant.grant_id}",
        accessToken=token,
        privateJwk=key.jwk.as_dict(private=True),
        publicJwk=key.public,
    )
    assert said == {
        "challenged": True,
        "queried": 200,
        "content": {"scopes": [{"scope": "openid"}]},
        "revoked": 204,
        "challenges": [["dpop", "invalid_token"]],
    }
