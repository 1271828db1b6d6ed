"""Published clients from npm, unmodified, over real HTTP."""

import json
import os
import shutil
import subprocess

import pytest

from ..standalone import ROOT
from ..world import Key, make_world

NODE = ROOT / "tests" / "node"


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """Run a script beside its packages; what it said."""
    if shutil.which("npm") is None:
        message = "needs node and npm"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", ".npmrc", "authlete.mjs", "oauth4webapi.mjs"):
        shutil.copy(NODE / name, folder)
    npm = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(npm, cwd=folder, check=True, capture_output=True, timeout=300)

    def run(script, **arguments):
        line = ["node", script, json.dumps(arguments)]
        done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr[-3_000:]
        return json.loads(done.stdout)

    return run


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
