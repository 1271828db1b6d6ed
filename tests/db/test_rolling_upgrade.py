"""Rolling upgrade: servers of the code before a migration answer on the schema after it.

Migrate first, then restart the servers one by one: in between both answer on one database.
"""

import io
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from chaos.proofs import TOKEN_ENDPOINT, Key

from ..gm_project.test_processes import postgresql  # noqa: F401 - a fixture
from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    ROOT,
    environment,
    free_port,
    manage,
    post,
    seed,
    serving,
    wait_for,
    write_records,
)

FIRST = {
    "grant_management": "0012",
    "gm_project": "0002",
    "grant_management/contrib/allauth_idp": "0002",
    "grant_management/contrib/oauth_toolkit": "0004",
}
"""By the folder of an app: earlier migrations were not made with this in mind."""


def from_the_first(app, first):
    """The files of the migrations, as git names them."""
    found = (ROOT / app / "migrations").glob("[0-9]*.py")
    return sorted(str(path.relative_to(ROOT)) for path in found if path.stem >= first)


CLIENTS, REFRESH = "/api/1001/clients", "/api/1001/tokens/refresh"
TOKENS = "/api/1001/auth/token/create"
REFRESHED = {"clientIdentifier": "app-1"}
SCOPES = ["grant_management_query", "grant_management_revoke"]
ISSUE = {
    "grantType": "AUTHORIZATION_CODE",
    "clientIdentifier": "app-1",
    "subject": "s-1",
    "scopes": SCOPES,
}
REVOKE = QUERY | {"gmAction": "REVOKE"}
CREATE = {"clientIdentifier": "app-1", "subject": "s-1", "scopes": [{"scope": "openid"}]}


def git(*arguments):
    """What it says; nothing: it is not there, or this is no repository."""
    if not shutil.which("git"):
        return b""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False).stdout


def before(path):
    """The commit before the one that brought a migration; "": git does not know, or it is new."""
    if git("status", "--porcelain", "--", path):
        return "HEAD"
    # Each commit of the first parents is whole.
    line = ("log", "--first-parent", "-m", "--diff-filter=A", "--format=%H")
    brought = git(*line, "--", path).decode().split()
    parent = f"{brought[-1]}^1" if brought else ""
    return parent if parent and git("cat-file", "-t", parent).strip() == b"commit" else ""


ALL = [path for app, first in FIRST.items() for path in from_the_first(app, first)]
MIGRATIONS = list({before(path) or path: path for path in ALL}.values())
"""Those that came together have the same old code."""


def test_each_app_with_migrations_is_looked_at():
    found = {path.parent.relative_to(ROOT) for path in ROOT.glob("gm*/**/migrations")}
    found |= {path.parent.relative_to(ROOT) for path in ROOT.glob("grant_management/**/migrations")}
    assert {str(path) for path in found} == set(FIRST)


@pytest.fixture(params=MIGRATIONS)
def old(request, tmp_path):
    """A folder with the code before a migration."""
    if not (commit := before(request.param)):
        told = "needs the history of the repository"
        is_whole = git("rev-parse", "--is-shallow-repository").strip() == b"false"
        (pytest.fail if os.environ.get("CI") and is_whole else pytest.skip)(told)
    # No tar: the filter that newer versions of Python demand is unknown to 3.11.2, Debian 12's.
    with zipfile.ZipFile(io.BytesIO(git("archive", "--format=zip", commit))) as archive:
        archive.extractall(tmp_path / "old")
    assert not (tmp_path / "old" / request.param).exists()
    return tmp_path / "old"


@pytest.fixture
def old_server(old, postgresql):  # noqa: F811 - it is that fixture
    """The port of its server, on the database as that code has it; and the database's URL."""
    url, port = postgresql.get_uri(), free_port()
    env = environment(DATABASE_URL=url)
    python = {"cwd": old, "env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True, **python)
    line = [sys.executable, "-m", "gm_project.serving", "127.0.0.1", str(port), "1"]
    with subprocess.Popen(line, **python) as process:
        try:
            wait_for(port)
            yield port, url
        finally:
            process.terminate()
            process.wait(20)


def called(port, path, members):
    status, answer = post(port, path, API_TOKEN, members)
    return status, answer.get("resultCode")


def done(port, path, members):
    """The answer to a call that succeeds."""
    status, answer = post(port, path, API_TOKEN, members)
    assert status == 200, answer
    return answer


def new_grant(port):
    return done(port, "/api/1001/grants", CREATE)["grantId"]


def check_tokens(one, two, grant_id):
    """What one of them issues the other one takes, and refreshes; and so on with what that issues."""
    key = Key()
    issued = done(one, TOKENS, ISSUE | {"grantId": grant_id, "dpopKeyThumbprint": key.thumbprint})
    proof = {"dpop": key.token_proof(), "htu": TOKEN_ENDPOINT, "htm": "POST"}
    refreshed = done(two, REFRESH, REFRESHED | {"refreshToken": issued["refreshToken"]} | proof)
    for port in (one, two):
        proof = key.proof(grant_id, refreshed["accessToken"])
        call = {"gmAction": "QUERY", "grantId": grant_id, "accessToken": refreshed["accessToken"]}
        assert called(port, PATH, call | {"dpop": proof}) == (200, "A277001")
        for both in (one, two):
            assert called(both, PATH, call | {"dpop": proof})[1] == "A281308", "replayed"


def check_clients(one, two, name):
    """One locks what the other one made."""
    made = done(one, CLIENTS, {"clientIdentifier": name, "name": "by one"})
    locked = done(two, CLIENTS, {"clientIdentifier": name, "locked": True})
    assert locked == made | {"locked": True}


def test_both_answer_on_one_database(old_server, tmp_path):
    port, url = old_server
    seed(url, tmp_path)  # migrates by the new code, while the old server runs
    more = {"type": "access_token", "service": 1001, "client_id": "app-1", "token": "t-9"}
    grant = {"type": "grant", "service": 1001, "client_id": "app-1", "grant_id": "g-9"}
    scopes = {"scopes": SCOPES}
    write_records(url, tmp_path, [grant, more | {"grant_id": "g-9"} | scopes])
    other = {"grantId": "g-9", "accessToken": "t-9"}
    with serving(url) as new:
        for one, two, call in ((port, new, {}), (new, port, other)):
            assert called(one, PATH, QUERY | call) == (200, "A277001")
            assert called(one, PATH, REVOKE | call) == (200, "A277001")
            assert called(two, PATH, QUERY | call) == (200, "A280303")
            made = new_grant(one)
            for both in (one, two):
                assert called(both, f"/api/1001/grants/{made}/get", {})[0] == 200
            check_tokens(one, two, made)
            check_clients(one, two, f"client-{one}")
            assert called(two, f"/api/1001/grants/{made}/revoke", {})[0] == 200
    manage("purge_expired", DATABASE_URL=url)
