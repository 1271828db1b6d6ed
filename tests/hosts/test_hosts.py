"""The wheel in projects that were not made for it, behind servers that are not ours."""

import contextlib
import http.client
import json
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest

from ..distribution import run
from ..standalone import API_TOKEN, RECORDS, free_port, wait_for

WSGI, ASGI = "wsgi:application", "asgi:application"
SERVERS = {
    "gunicorn": ["gunicorn", "--bind", "127.0.0.1:{port}", WSGI],
    "gunicorn's threads": ["gunicorn", "--threads", "4", "--bind", "127.0.0.1:{port}", WSGI],
    "waitress": ["waitress", "--listen", "127.0.0.1:{port}", WSGI],
    "uvicorn": ["uvicorn", "--port", "{port}", ASGI],
    "hypercorn": ["hypercorn", "--bind", "127.0.0.1:{port}", ASGI],
    "granian": ["granian", "--interface", "asgi", "--port", "{port}", ASGI],
}
SECOND_DATABASE = {"databases": ["default", "grants"], "DATABASE_ROUTERS": ["router.Router"]}
"""With `--db postgresql` the second one is on PostgreSQL, beside a default one on SQLite."""
SCRIPT_NAME = {"FORCE_SCRIPT_NAME": "/behind/a/proxy"}
LOGIN_REQUIRED = {
    "last_middleware": ["django.contrib.auth.middleware.LoginRequiredMiddleware"],
    "LOGIN_URL": "/backoffice/login/",
}
HOSTS = {
    "custom users": ("gunicorn", {}),
    "a second database": ("gunicorn's threads", SECOND_DATABASE),
    "a second database, asynchronous": ("uvicorn", SECOND_DATABASE),
    "a prefix": ("hypercorn", SCRIPT_NAME),
    "a login for each page": ("granian", LOGIN_REQUIRED),
    "another language": ("waitress", {"LANGUAGE_CODE": "de"}),
}
QUERY = {"gmAction": "QUERY", "grantId": "g-1", "accessToken": "t-1"}
CALLS = [
    ("/api/1001/auth/gm", {}, (200, "OK", "A277001")),
    ("//api/1001/gm", {}, (200, "OK", "A277001")),
    ("/api/1001/gm", {"body": b"["}, (400, "CALLER_ERROR", "A126202")),
    ("/api/1001/gm", {"body": b"x" * 3_000_000}, (413, None, "A001206")),
    ("/api/1001/gm", {"api_token": None}, (401, None, "A001202")),
    ("/api/1002/gm", {}, (403, None, "A458201")),
    ("/api/nowhere", {}, (404, None, "A001208")),
    ("/api/1001/gm", {"host": "evil.example"}, (400, "CALLER_ERROR", "A126202")),
]


class Project:
    """A host's project in a folder of its own."""

    def __init__(self, folder, python, changes):
        self.folder = folder / "a project"
        shutil.copytree(Path(__file__).parent / "project", self.folder)
        self.python = python
        self.environment = {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "settings",
            "HOST": json.dumps(changes),
            "PYTHONPATH": ".",
            "PYTHONWARNINGS": "error",
        }
        self.django = (python, "-m", "django")

    def prepare(self):
        """The key of an operator's session."""
        records = self.folder / "records.jsonl"
        records.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
        said = run(*self.django, "prepare", records, cwd=self.folder, env=self.environment)
        return said.split()[-1]

    @contextlib.contextmanager
    def serving(self, server):
        port = free_port()
        line = [part.format(port=port) for part in SERVERS[server]]
        # A server's own code may warn; its words are no concern of ours.
        environment = self.environment | {"PYTHONWARNINGS": "default"}
        with (self.folder / "log").open("w") as log:
            process = subprocess.Popen(
                [self.python, "-m", *line],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
            try:
                wait_for(port)
                yield port
            finally:
                process.terminate()
                process.wait(timeout=30)


def ask(port, method, path, body=None, **headers):
    """The status, the headers and the body of one answer."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as asked:
        headers = {"Host": "host.example", "Connection": "close"} | headers
        with contextlib.suppress(ConnectionError):  # it may answer before it has read all
            asked.request(method, path, body, headers)
        answer = asked.getresponse()
        return answer.status, answer.headers, answer.read()


def call(port, path, *, body=None, api_token=API_TOKEN, host="host.example"):
    """What the API says: status, action and code."""
    body = json.dumps(QUERY).encode() if body is None else body
    headers = {"Host": host, "Content-Type": "application/json"}
    if api_token:
        headers["Authorization"] = f"Bearer {api_token}"
    status, answered, content = ask(port, "POST", f"/oauth/grants{path}", body, **headers)
    assert answered["Content-Type"] == "application/json", (path, status, content[:200])
    answer = json.loads(content)
    return status, answer.get("action"), answer["resultCode"]


def pages(port, session):
    """The app's pages that an operator finds, by their paths, and what is in them."""
    index = "/backoffice/grant_management/"
    status, _, content = ask(port, "GET", index, Cookie=f"sessionid={session}")
    assert status == 200
    links = re.findall(
        r'href="(?:/behind/a/proxy)?(/backoffice/grant_management/\w+/)"', content.decode()
    )
    assert len(links) > 10
    return {path: ask(port, "GET", path, Cookie=f"sessionid={session}") for path in links}


def revoke(port, session, grant):
    """Revoke a grant as an operator does; the status of the answer."""
    page = f"/backoffice/grant_management/grant/{grant}/revoke/"
    status, headers, content = ask(port, "GET", page, Cookie=f"sessionid={session}")
    assert status == 200
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', content.decode())[1]
    cookie = re.search(r"csrftoken=\w+", headers["Set-Cookie"])[0]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"reason=other&csrfmiddlewaretoken={token}"
    return ask(port, "POST", page, body, Cookie=f"sessionid={session}; {cookie}", **form)[0]


@pytest.fixture
def on_postgresql():
    """The changes for a second database on the server of this run, made for this test."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    name, url = f"host_{secrets.token_hex(6)}", os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        place = conninfo_to_dict(url)
        given = {"USER": place["user"], "HOST": place["host"], "PORT": place.get("port", "")}
        given |= {"ENGINE": "django.db.backends.postgresql", "NAME": name, "ATOMIC_REQUESTS": True}
        yield SECOND_DATABASE | {"databases": ["default"], "more_databases": {"grants": given}}
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def changes(request, host):
    """Those of the settings. What PostgreSQL makes no difference to is seen with SQLite alone."""
    if request.config.getoption("--db") == "sqlite":
        return HOSTS[host][1]
    if HOSTS[host][1] is not SECOND_DATABASE:
        pytest.skip("seen with --db sqlite")
    return request.getfixturevalue("on_postgresql")


@pytest.mark.parametrize("host", HOSTS)
def test_host(host, changes, installed_with_servers, tmp_path):
    """It answers as ever; each page of the admin is there; a revoke works at once."""
    server = HOSTS[host][0]
    project = Project(tmp_path, installed_with_servers, changes)
    session = project.prepare()
    with project.serving(server) as port:
        assert [call(port, path, **with_) for path, with_, _ in CALLS] == [
            said for *_, said in CALLS
        ]
        shown = pages(port, session)
        assert {path: status for path, (status, *_) in shown.items() if status != 200} == {}
        content = shown["/backoffice/grant_management/grant/"][2].decode()
        grant = re.search(r"/grant_management/grant/([0-9a-f-]{36})/", content)[1]
        assert revoke(port, session, grant) == 302
        assert call(port, "/api/1001/gm") == (200, "UNAUTHORIZED", "A280303")


def test_naive_times_are_refused(request, installed, tmp_path):
    """By a check, which each command makes before it does anything."""
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("seen with --db sqlite")
    project = Project(tmp_path, installed, {"USE_TZ": False})
    done = subprocess.run(
        [*project.django, "check"],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "(grant_management.E020) USE_TZ must be True." in done.stderr
