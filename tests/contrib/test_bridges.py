"""Authorization servers with grant management: end to end over HTTP, with clients of others.

The same tests for every bridge.
"""

import pytest
import requests
from authlib.common.security import generate_token

from ..bridges import EACH
from ..example import GM, parameters
from ..example_world import World, served


@pytest.fixture(scope="module", params=EACH)
def world(request, django_db_setup, django_db_blocker, tmp_path_factory):
    """The example server, on a database of its own of the kind that the run is on."""
    with served(django_db_blocker, tmp_path_factory, bridge=request.param) as seeded:
        yield World(seeded)


@pytest.fixture
def client(world):
    return world.client


@pytest.fixture
def ann(world):
    return world.ann


@pytest.fixture
def bob(world):
    return world.bob


def at_store(world, path, **members):
    headers = {"Authorization": f"Bearer {world.api_token}"}
    answer = requests.post(f"{world.base}/api/1/{path}", json=members, headers=headers, timeout=60)
    return answer.json()


def test_no_page_of_the_example_can_be_framed(world, client, ann):
    """RFC 9700 section 4.16: neither consent, with the app's own two headers, nor login."""
    consent = ann.open(client.url(client.session(GM), generate_token(48)))
    assert "<form" in consent.text
    assert consent.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    login = requests.get(f"{world.base}{world.bridge.login}", timeout=20)
    for page in (consent, login, requests.get(f"{world.base}/admin/login/", timeout=20)):
        assert page.status_code == 200
        assert page.headers["X-Frame-Options"] == "DENY"


def test_the_whole_life(world, client, ann):
    """Create, query, merge, query, replace, revoke: and what dies on the way."""
    first = client.authorize(ann, f"{GM} read", grant_management_action="create")
    grant_id = first["grant_id"]
    assert client.gm("GET", grant_id, first["access_token"]) == (
        200,
        {"scopes": [{"scope": f"{GM} read"}]},
    )

    merged = client.authorize(ann, "write", grant_management_action="merge", grant_id=grant_id)
    assert merged["grant_id"] == grant_id
    assert client.refresh(first["refresh_token"])[0] == 400
    status, shown = client.gm("GET", grant_id, first["access_token"])
    assert (status, shown) == (200, {"scopes": [{"scope": f"{GM} read write"}]})

    replaced = client.authorize(ann, GM, grant_management_action="replace", grant_id=grant_id)
    assert client.refresh(merged["refresh_token"])[0] == 400
    assert client.gm("GET", grant_id, first["access_token"])[0] == 401
    assert world.is_active(first["access_token"]) is False
    assert client.gm("GET", grant_id, replaced["access_token"]) == (
        200,
        {"scopes": [{"scope": GM}]},
    )

    status, refreshed = client.refresh(replaced["refresh_token"])
    assert (status, refreshed["grant_id"]) == (200, grant_id)
    assert client.refresh(replaced["refresh_token"])[0] == 400
    again = client.authorize(ann, GM, grant_management_action="merge", grant_id=grant_id)

    assert client.gm("DELETE", grant_id, again["access_token"]) == (204, None)
    assert client.refresh(again["refresh_token"])[0] == 400
    assert world.is_active(again["access_token"]) is False
    assert client.gm("GET", grant_id, again["access_token"])[0] == 401


def test_grant_not_found_with_a_token_that_outlives_it(world, client, ann):
    """A client-credentials token of the very client: made in the store, as the examples' clients
    have one grant type each."""
    tokens = client.authorize(ann, GM, grant_management_action="create")
    members = {"grantType": "CLIENT_CREDENTIALS", "scopes": GM.split()}
    members["clientIdentifier"] = client.secrets["client_id"]
    own = at_store(world, "auth/token/create", **members)["accessToken"]
    assert client.gm("GET", tokens["grant_id"], own)[0] == 200
    assert client.gm("DELETE", tokens["grant_id"], own)[0] == 204
    assert client.gm("GET", tokens["grant_id"], own)[0] == 404
    assert client.refresh(tokens["refresh_token"])[0] == 400


def test_two_grants_of_one_client_and_user(client, ann):
    """Item 8: one dies, the other lives."""
    first = client.authorize(ann, GM, grant_management_action="create")
    second = client.authorize(ann, f"{GM} read", grant_management_action="create")
    assert first["grant_id"] != second["grant_id"]
    assert client.gm("DELETE", first["grant_id"], second["access_token"])[0] == 204
    assert client.gm("GET", second["grant_id"], second["access_token"])[0] == 200
    assert client.refresh(second["refresh_token"])[0] == 200


def test_what_is_others_is_refused(world, client, ann, bob):
    other = world.other
    mine = client.authorize(ann, GM, grant_management_action="create")
    theirs = other.authorize(ann, GM, grant_management_action="create")
    bobs = client.authorize(bob, GM, grant_management_action="create")
    assert client.gm("GET", theirs["grant_id"], mine["access_token"])[0] == 403
    assert client.gm("GET", bobs["grant_id"], mine["access_token"])[0] == 403
    for browser, grant_id in ((ann, theirs["grant_id"]), (ann, bobs["grant_id"]), (ann, "unknown")):
        error = client.authorize(browser, GM, grant_management_action="merge", grant_id=grant_id)
        assert error["error"] == "invalid_grant_id"
        assert error["state"]


def test_bad_requests(client, ann):
    """Items 12 to 14: the errors go to the client, with its state."""
    grant_id = client.authorize(ann, GM, grant_management_action="create")["grant_id"]
    for bad in (
        {"grant_management_action": "create", "grant_id": grant_id},
        {"grant_management_action": "merge"},
        {"grant_management_action": "update", "grant_id": grant_id},
        {"grant_id": grant_id},
    ):
        assert client.authorize(ann, GM, **bad)["error"] == "invalid_request"


def test_without_an_action_there_is_no_grant(client, ann):
    tokens = client.authorize(ann, GM)
    assert "grant_id" not in tokens
    status, refreshed = client.refresh(tokens["refresh_token"])
    assert (status, "grant_id" in refreshed) == (200, False)


def test_refusal_by_the_user_changes_nothing(client, ann):
    tokens = client.authorize(ann, f"{GM} read", grant_management_action="create")
    session, verifier = client.session("write"), generate_token(48)
    url = client.url(
        session, verifier, grant_management_action="replace", grant_id=tokens["grant_id"]
    )
    assert parameters(ann.authorize(url, allow=False))["error"] == "access_denied"
    assert client.gm("GET", tokens["grant_id"], tokens["access_token"])[1] == {
        "scopes": [{"scope": f"{GM} read"}]
    }
    assert client.refresh(tokens["refresh_token"])[0] == 200


def test_a_token_revoked_there_is_refused_here_and_its_grant_lives(client, ann):
    tokens = client.authorize(ann, GM, grant_management_action="create")
    second = client.authorize(ann, GM, grant_management_action="create")
    assert client.revoke(tokens["access_token"]) == 200
    assert client.gm("GET", tokens["grant_id"], tokens["access_token"])[0] == 401
    assert client.gm("GET", tokens["grant_id"], second["access_token"])[0] == 200


def test_reuse_of_a_rotated_refresh_token(world, client, ann):
    """Kills the family on both sides; the grant lives."""
    first = client.authorize(ann, GM, grant_management_action="create")
    _, second = client.refresh(first["refresh_token"])
    assert client.refresh(first["refresh_token"])[0] == 400
    assert client.refresh(second["refresh_token"])[0] == 400
    assert not world.is_known(second["refresh_token"])


def test_the_standard_introspection_here_knows_the_servers_tokens(world, client, ann):
    tokens = client.authorize(ann, GM, grant_management_action="create")
    for name in ("access_token", "refresh_token"):
        ours = world.post("/api/1/introspect", {"token": tokens[name]})
        assert (ours["active"], ours["grant_id"]) == (True, tokens["grant_id"])


def test_a_lock_here_stops_the_servers_refresh(world, client, ann):
    tokens = client.authorize(ann, GM, grant_management_action="create")
    which = {"clientIdentifier": client.secrets["client_id"]}
    assert at_store(world, "clients", **which, locked=True)["locked"] is True
    assert client.refresh(tokens["refresh_token"])[0] == 400
    at_store(world, "clients", **which, locked=False)
    assert client.refresh(tokens["refresh_token"])[0] == 200


def test_a_code_of_a_revoked_grant_is_worth_nothing(world, client, ann):
    """A revoke between the consent and the token request wins."""
    grant_id = client.authorize(ann, GM, grant_management_action="create")["grant_id"]
    session, verifier = client.session(GM), generate_token(48)
    location = ann.authorize(
        client.url(session, verifier, grant_management_action="merge", grant_id=grant_id)
    )
    at_store(world, f"grants/{grant_id}/revoke")
    with pytest.raises(Exception, match="invalid_grant"):
        client.fetch(session, location, verifier)


def test_a_pending_grant_is_not_there(world, client, ann):
    """Item 17: until its code is claimed."""
    session, verifier = client.session(GM), generate_token(48)
    own = client.authorize(ann, GM, grant_management_action="create")["access_token"]
    ann.authorize(client.url(session, verifier, grant_management_action="create"))
    listed = {"clientIdentifier": client.secrets["client_id"], "status": "pending"}
    grant_id = at_store(world, "grants/list", **listed)["grants"][0]["grantId"]
    assert client.gm("GET", grant_id, own)[0] == 404
    assert (
        client.authorize(ann, GM, grant_management_action="merge", grant_id=grant_id)["error"]
        == "invalid_grant_id"
    )
