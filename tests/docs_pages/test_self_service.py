"""The script of the page about the person's own pages, in Node, at a server of ours."""

import json
import subprocess

import pytest
import requests

from ..standalone import manage, serving
from .page import blocks

GRANT = """
from grant_management import lifecycle
from grant_management.db import apart
from grant_management.models import Client, Service
from grant_management.protocol.content import Content
with apart.service(1001):
    service = Service.objects.get(pk=1001)
    client = Client.objects.create(service=service, client_id="app-1", name="App")
    lifecycle.complete(lifecycle.begin(client, "user-1", "create", ""), Content(), active=True)
"""


@pytest.fixture
def server(seen_once, tmp_path):
    """The address of a server with a grant of user-1, and the environment of its commands."""
    database = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    env = {"DATABASE_URL": database, "SECRET_KEY": "x" * 50}
    manage("migrate", "-v", "0", **env)
    manage("create_organization", "Example Bank", "--id", "1", **env)
    manage("create_service", "--organization", 1, "--id", 1001, "--name", "Retail", **env)
    manage("shell", "-v", "0", "-c", GRANT, **env)
    with serving(database, SECRET_KEY=env["SECRET_KEY"]) as port:
        yield f"http://127.0.0.1:{port}", env


def test_the_script_of_the_web_page(server):
    url, env = server
    line = ("--service", 1001, "--can-issue-self-service", "--json")
    key = json.loads(manage("issue_api_token", *line, **env))["accessToken"]
    issued = requests.post(
        f"{url}/api/1001/self_service/token",
        json={"subject": "user-1", "access": "revoke", "expiresIn": 600},
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    ).json()["token"]

    def held():
        asked = {"Authorization": f"Bearer {issued}"}
        return requests.get(f"{url}/self/1001/grants", headers=asked, timeout=30).json()["grants"]

    assert len(held()) == 1
    pages = blocks("how-to/self-service.md")
    (script,) = (one.text for one in pages if one.language == "javascript")
    text = f"const token = {json.dumps(issued)};\n{script.replace('https://gm.example.com', url)}"
    node = ["node", "--input-type=module", "-e", text]
    subprocess.run(node, check=True, timeout=60)
    assert [one for one in held() if not one.get("revokedAt")] == []
