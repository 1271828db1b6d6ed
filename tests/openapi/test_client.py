"""A client that openapi-python-client generates from the document works with a real server.

It is made by the command of docs/how-to/openapi.md.
"""

import importlib
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from ..docs.pages import typed
from ..standalone import API_TOKEN, seed, serving
from .written import PAGE

DIRECT = {"trust_env": False}
"""No proxy of this machine."""


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The package of the generated client."""
    folder = tmp_path_factory.mktemp("client")
    _program, *arguments = shlex.split(typed("how-to/openapi.md", "openapi-python-client"))
    (folder / "docs").symlink_to(PAGE.parent)
    line = [sys.executable, "-m", "openapi_python_client", *arguments]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield SimpleNamespace(
        operation=lambda name: importlib.import_module(f"generated.api.{name}"),
        models=importlib.import_module("generated.models"),
        client=importlib.import_module("generated").AuthenticatedClient,
        left_out=re.findall(r"(?m)^WARNING parsing (.+) within", done.stderr),
    )
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    url = f"sqlite:///{folder / 'db.sqlite3'}"
    seed(url, folder)
    with serving(url) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def connect(generated, server):
    """A client with this API token, whose connections are closed afterwards."""
    with ExitStack() as stack:
        yield lambda token: stack.enter_context(
            generated.client(base_url=server, token=token, httpx_args=DIRECT)
        )


def test_only_the_logo_is_left_out(generated):
    """It takes no pictures, and says so on standard error."""
    assert generated.left_out == ["GET /self/{serviceId}/logos/{digest}"]


def test_create_refresh_query_revoke(generated, connect):
    """From a new grant to the end of it."""
    models = generated.models
    client = connect(API_TOKEN)

    def call(operation, body):
        made = generated.operation(operation).sync(1001, client=client, body=body)
        assert made is not None
        return made

    grant = call(
        "store.create_grant",
        models.CreateGrantRequest.from_dict(
            {
                "clientIdentifier": "app-1",
                "subject": "user-1",
                "scopes": [{"scope": "openid"}],
                "active": True,
            }
        ),
    )
    tokens = call(
        "store.create_tokens",
        models.CreateTokensRequest.from_dict(
            {
                "clientIdentifier": "app-1",
                "subject": "user-1",
                "grantType": "AUTHORIZATION_CODE",
                "scopes": ["grant_management_query", "grant_management_revoke"],
                "grantId": grant.grant_id,
            }
        ),
    )
    assert (tokens.action, tokens.grant_id) == ("OK", grant.grant_id)
    refreshed = call(
        "store.refresh_tokens",
        models.RefreshTokensRequest(refresh_token=tokens.refresh_token, client_identifier="app-1"),
    )
    assert refreshed.action == "OK"
    assert refreshed.refresh_token != tokens.refresh_token

    def manage(action):
        return call(
            "grant_management_api.manage_grant",
            models.ManageGrantRequest(
                gm_action=action,
                grant_id=grant.grant_id,
                access_token=refreshed.access_token,
            ),
        )

    assert "openid" in manage("QUERY").response_content
    assert manage("REVOKE").action == "NO_CONTENT"
    after = manage("QUERY")
    assert (after.action, after.result_code) == ("UNAUTHORIZED", "A280303")


def test_a_refusal_is_typed(generated, connect):
    client = connect("unknown")
    body = generated.models.CreateGrantRequest()
    refused = generated.operation("store.create_grant").sync(1001, client=client, body=body)
    assert isinstance(refused, generated.models.Refusal401)
    assert refused.result_code == "A458101"
