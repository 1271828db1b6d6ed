"""The conformance suite, against the example server and against servers that are wrong."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests

from grant_management.conformance import checks
from grant_management.conformance.suite import CHECKS

from .standalone import ROOT
from .test_oauth_toolkit import GM, Browser, Client, example

assert example  # a fixture


def run(tmp_path, **members):
    """The exit code, and the report as JSON; the JUnit report must agree."""
    config, report, junit = (
        tmp_path / name for name in ("config.toml", "report.json", "junit.xml")
    )
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in members.items()))
    line = [
        sys.executable,
        "-m",
        "grant_management.conformance",
        str(config),
        "--json",
        str(report),
        "--junit",
        str(junit),
    ]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    if not report.exists():
        return done.returncode, done.stdout
    found = json.loads(report.read_text())
    suite = ET.fromstring(junit.read_text())
    assert (
        int(suite.get("failures")) == found["counts"]["failed"] == len(suite.findall("*/failure"))
    )
    assert f"{found['counts']['passed']} passed" in done.stdout
    return done.returncode, {one["number"]: one for one in found["checks"]}


def test_the_example_conforms(example, tmp_path):
    """Every check passes, but those of members that its grants do not have."""
    base = example["base"]
    client, other = Client(example), Client(example, 1)
    ann = Browser(base, **example["users"][0])
    headers = {"Authorization": f"Bearer {example['api_token']}"}
    own = {
        "grantType": "CLIENT_CREDENTIALS",
        "clientIdentifier": client.secrets["client_id"],
        "scopes": GM.split(),
    }
    seeded = json.dumps({name: value for name, value in example.items() if name != "manage"})
    weak = client.authorize(ann, "read")["access_token"]
    made = requests.post(
        f"{base}/api/1/auth/token/create", json=own, headers=headers, timeout=20
    ).json()
    code, checks = run(
        tmp_path,
        issuer=f"{base}/1",
        token_endpoint=f"{base}/o/token/",
        client_id=client.secrets["client_id"],
        client_secret=client.secrets["client_secret"],
        authorize=[sys.executable, "-m", "tests.authorize", seeded],
        scope=GM,
        more_scope="read",
        outliving_access_token=made["accessToken"],
        weak_access_token=weak,
        other_grant_id=other.authorize(ann, GM, grant_management_action="create")["grant_id"],
    )
    assert {
        number: one["detail"] for number, one in checks.items() if one["outcome"] == "failed"
    } == {}
    assert code == 0
    assert {number for number, one in checks.items() if one["outcome"] == "skipped"} == {
        "GM-21",
        "GM-22",
    }
    assert len(checks) == 32


class Wrong(BaseHTTPRequestHandler):
    """A server that answers everything with 200 and a token."""

    def answer(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(
            b'{"scopes":"all","claims":[1],"authorization_details":[{}],"created_at":"x","updated_by":"me","leak":"the-token","grant_management_actions_supported":["update"],"grant_management_action_required":"yes"}'
        )

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *args):
        pass


def test_a_wrong_server_fails(tmp_path):
    """Each check can fail."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Wrong)
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    lie = "import json; print(json.dumps({'access_token': 'the-token', 'grant_id': 'a/b', 'authorization_response': {'grant_id': 1}}))"
    code, checks = run(
        tmp_path,
        metadata_url=f"{base}/metadata",
        grant_management_endpoint=f"{base}/gm?x",
        token_endpoint=f"{base}/token",
        authorize=[sys.executable, "-c", lie],
        more_scope="x",
        refresh_token="r",
        outliving_access_token="o",
        weak_access_token="w",
        other_grant_id="b",
    )
    server.shutdown()
    server.server_close()
    passed = {number for number, one in checks.items() if one["outcome"] != "failed"}
    assert code == 1
    assert passed == {"GM-04"}


@pytest.mark.parametrize("members", [{"unknown": "x"}, {"scope": ["x"]}, {"authorize": "x"}])
def test_config_that_cannot_be_used(tmp_path, members):
    code, said = run(tmp_path, **members)
    assert code == 2
    assert next(iter(members)) in said


def test_without_what_it_needs_it_skips(tmp_path):
    code, checks = run(tmp_path)
    assert code == 0
    assert {one["outcome"] for one in checks.values()} == {"skipped"}


def test_checks_are_numbered_and_documented():

    assert checks
    assert [one.number for one in CHECKS] == [
        f"GM-{number:02}" for number in range(1, len(CHECKS) + 1)
    ]
    documented = (ROOT / "docs" / "conformance.md").read_text()
    assert CHECKS
    for one in CHECKS:
        assert f"| {one.number} | {one.section} | {one.title} |" in documented


def test_every_item_of_the_draft_is_accounted_for():
    """By a test that is there, or a reason."""
    rows = re.findall(
        r"^\| (\d+) \| (.+) \| (.+) \|$", (ROOT / "docs" / "conformance.md").read_text(), re.M
    )
    assert [int(number) for number, _, _ in rows] == list(range(1, 49))
    for _, _, where in rows:
        for name in re.findall(r"`(test_\w+\.py)`", where):
            assert (ROOT / "tests" / name).exists(), name
        for number in re.findall(r"GM-(\d+)", where):
            assert int(number) <= len(CHECKS)
