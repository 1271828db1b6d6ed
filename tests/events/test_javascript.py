"""A receiver in Node verifies what arrives with the published JavaScript library."""

import json
import subprocess

import pytest

from grant_management.events import sending
from grant_management.events.delivering import deliver_next

from ..receiver import certificate_of
from ..world import BY_TEST
from .conftest import WHY


@pytest.mark.xdist_group("node")
def test_a_receiver_in_node(world, receiver, listen, npm, tmp_path, monkeypatch):
    pem = certificate_of(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    sending._trust.cache_clear()
    line = ["node", "receiver.mjs", json.dumps({"pem": str(pem), "count": 2})]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(line, cwd=npm, text=True, **pipes) as process:
        try:
            url = f"https://localhost:{process.stdout.readline().strip()}/hook"
            _webhook, secret = listen(url=url, event_types=["client.locked", "client.unlocked"])
            process.stdin.write(f"{secret}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "ready\n"
            world.client.lock(BY_TEST, WHY)
            world.client.unlock(BY_TEST, WHY)
            while deliver_next():
                pass
            said = json.loads(process.stdout.readline() or process.stderr.read())
        finally:
            process.kill()
    assert said["refused"] == []
    assert [one["type"] for one in said["told"]] == ["client.locked", "client.unlocked"]
    assert {one["data"]["clientId"] for one in said["told"]} == {"app-1"}
