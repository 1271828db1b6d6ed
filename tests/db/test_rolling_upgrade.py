"""Rolling upgrade: servers of the code before a migration answer on the schema after it.

Migrate first, then restart the servers one by one: in between both answer on one database.
"""

import io
import shutil
import subprocess
import sys
import tarfile

import pytest

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

FIRST = "0012"
"""Earlier migrations were not made with this in mind."""
FOLDER = "grant_management/migrations"
MIGRATIONS = sorted(path.stem for path in (ROOT / FOLDER).glob("[0-9]*.py") if path.stem >= FIRST)
REVOKE = QUERY | {"gmAction": "REVOKE"}
CREATE = {"clientIdentifier": "app-1", "subject": "s-1", "scopes": [{"scope": "openid"}]}


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False).stdout


def before(migration):
    """The commit before the one that brought a migration; "": git does not know, or it is new."""
    path = f"{FOLDER}/{migration}.py"
    if git("status", "--porcelain", "--", path):
        return "HEAD"
    brought = git("log", "--diff-filter=A", "--format=%H", "--", path).decode().split()
    parent = f"{brought[-1]}^" if brought else ""
    return parent if parent and git("cat-file", "-t", parent).strip() == b"commit" else ""


@pytest.fixture(params=MIGRATIONS)
def old(request, tmp_path):
    """A folder with the code before a migration."""
    if not shutil.which("git") or not (commit := before(request.param)):
        pytest.skip("needs the history of the repository")
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit))) as archive:
        archive.extractall(tmp_path / "old", filter="data")
    assert not (tmp_path / "old" / FOLDER / f"{request.param}.py").exists()
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


def new_grant(port):
    status, answer = post(port, "/api/1001/grants", API_TOKEN, CREATE)
    assert status == 200, answer
    return answer["grantId"]


def test_both_answer_on_one_database(old_server, tmp_path):
    port, url = old_server
    seed(url, tmp_path)  # migrates by the new code, while the old server runs
    more = {"type": "access_token", "service": 1001, "client_id": "app-1", "token": "t-9"}
    grant = {"type": "grant", "service": 1001, "client_id": "app-1", "grant_id": "g-9"}
    scopes = {"scopes": ["grant_management_query", "grant_management_revoke"]}
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
            assert called(two, f"/api/1001/grants/{made}/revoke", {})[0] == 200
    manage("purge_expired", DATABASE_URL=url)
