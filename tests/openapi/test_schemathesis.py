"""Schemathesis calls every operation of a real server: every answer is in the document, none is 5xx."""

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from grant_management.models.api_token import RIGHTS

from ..standalone import RECORDS, manage, post, seed, serving, write_records
from .written import PAGE

ALL_RIGHTS = "organization-token-of-a-test"
MORE = [
    {
        "type": "api_token",
        "kind": "organization",
        "organization": 1,
        "token": ALL_RIGHTS,
        **dict.fromkeys(RIGHTS, True),
    },
    {
        "type": "refresh_token",
        "service": 1001,
        "client_id": "app-1",
        "grant_id": "g-1",
        "token": "r-1",
    },
]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
CONFIG = """
[parameters]
"path.serviceId" = 1001
"path.grantId" = "g-1"
"path.client" = "app-1"
"""
ENDS_ALL = "deleteService"
"""Behind it, nothing else of the service can be reached: it has a run of its own."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """The file of a database with a service."""
    folder = tmp_path_factory.mktemp("schemathesis")
    url = f"sqlite:///{folder / 'db.sqlite3'}"
    seed(url, folder)
    write_records(url, folder, MORE)
    manage("publish_events", "--service", RECORDS[1]["id"], DATABASE_URL=url)
    with closing(sqlite3.connect(folder / "db.sqlite3")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "db.sqlite3"


@pytest.fixture
def url(filled, tmp_path):
    """A database of each run's own: some calls end what others need."""
    return f"sqlite:///{shutil.copy(filled, tmp_path)}"


def self_service_token(port):
    members = {"subject": "user-1", "access": "revoke"}
    status, answer = post(port, "/api/1001/self_service/token", ALL_RIGHTS, members)
    assert status == 200
    return answer["token"]


def calls(folder, port, credential, *chosen, count=10):
    """A run of Schemathesis; what it says."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    line = [sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run", PAGE]
    line += ["--url", f"http://127.0.0.1:{port}", "-H", f"Authorization: Bearer {credential}"]
    line += ["--checks", ",".join(CHECKS), "--max-examples", str(count), "--seed", "1"]
    line += ["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--warnings", "off"]
    done = subprocess.run(
        [*map(str, line), *chosen],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=540,
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]
    return done.stdout


OWN = "^/(gm|self)/"


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(
    ("who", "chosen"),
    [
        ("api", ["--exclude-path-regex", OWN, "--exclude-operation-id", ENDS_ALL]),
        ("client", ["--include-path-regex", "^/gm/"]),
        ("person", ["--include-path-regex", "^/self/"]),
        ("last", ["--include-operation-id", ENDS_ALL]),
    ],
)
def test_every_answer_is_in_the_document(url, tmp_path, who, chosen, request):
    """With `--slow` up to 200 generated examples of each operation instead of 10."""
    count = 200 if request.config.getoption("--slow") else 10
    with serving(url, log=tmp_path / "log") as port:
        made = {"client": lambda: "t-1", "person": lambda: self_service_token(port)}
        credential = made.get(who, lambda: ALL_RIGHTS)()
        said = calls(tmp_path, port, credential, *chosen, count=count)
    assert "No issues found" in said or "passed" in said
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_an_answer_that_is_not_in_the_document_is_noticed(url, tmp_path, monkeypatch):
    """Of a document that says less than the server does."""
    less = tmp_path / "less.yaml"
    text = re.sub(r"(?m)^ +- A278204\n", "", PAGE.read_text())
    less.write_text(text)
    assert text != PAGE.read_text()
    monkeypatch.setattr(sys.modules[__name__], "PAGE", less)
    with serving(url) as port, pytest.raises(AssertionError, match="A278204"):
        calls(tmp_path, port, ALL_RIGHTS, "--include-operation-id", "manageGrant")
