"""What the server says to whoever comes by: at `/`, to a wrong Host, and in its log."""

import http.client
import json
import os
import re
import signal
import tomllib

import pytest

from gm_project.front import NAME
from grant_management import home
from grant_management.conf import DOCUMENTS

from ..standalone import PATH, ROOT, children, serving, until

pytestmark = pytest.mark.usefixtures("once")


def call(port, path, method="GET", **headers):
    """Status, headers and text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, response.headers, text


@pytest.mark.parametrize("only", ["api", "admin", ""])
def test_the_front_says_what_this_is(url, only):
    """HTML to a browser, JSON to everybody else; and nothing more, such as a version."""
    with serving(url, ONLY=only) as port:
        for accept in ("*/*", "application/json", "text/plain", "application/json, text/html;q=.5"):
            status, headers, text = call(port, "/", Accept=accept)
            assert (status, headers["Content-Type"]) == (200, "application/json")
            assert json.loads(text) == {"name": NAME, "documentation": DOCUMENTS}
            assert headers["Vary"] == "Accept"
        status, headers, text = call(port, "/", Accept="text/html,application/xml;q=0.9,*/*;q=0.8")
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert NAME in text
        assert f'<a href="{DOCUMENTS}">' in text
        assert len(text) < 500
        assert ('<a href="/admin/">Open the console</a>' in text) == (only != "api")
        assert ("This server answers API calls." in text) == (only != "admin")
        assert headers["Vary"] == "Accept, Accept-Language"
        german = {"Accept": "text/html", "Accept-Language": "de"}
        text = call(port, "/", **german)[2]
        assert '<html lang="de">' in text
        assert "Dokumente lesen" in text
        assert call(port, "/", "HEAD")[::2] == (200, "")
        status, headers, text = call(port, "/", "POST")
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
        assert json.loads(text)["resultCode"] == "A001205"


def test_the_documents_are_those_of_the_package():
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"].get("urls", {})
    assert urls.get("Documentation", DOCUMENTS) == DOCUMENTS
    assert urls.get("Repository", home.REPOSITORY) == home.REPOSITORY


def test_one_file_of_the_code_has_the_addresses():
    """Besides answers that are examples, which are made from it. docs/how-to/releasing.md names it."""
    having = {
        str(path.relative_to(ROOT))
        for folder in ("grant_management", "gm_project", "templates")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".html", ".json", ".js", ".txt") and home.HOST in path.read_text()
    }
    made = {"grant_management/contrib/openapi/examples.json"}
    assert having - made == {"grant_management/home.py"}
    named = (ROOT / "docs" / "how-to" / "releasing.md").read_text()
    assert "`grant_management/home.py`" in named


@pytest.mark.parametrize("only", ["api", ""])
def test_a_wrong_host_names_the_setting(url, only, tmp_path):
    """In the answer without the Host, which anybody can make up; in the log in one line."""
    wrong, log = "made-up.example", tmp_path / "log"
    paths = ["/", PATH, "/gm/1001/g-1"] + ([] if only else ["/nothing", "/admin/"])
    with serving(url, ONLY=only, log=log) as port:
        for path in paths:
            for host in (wrong, "made up", "a_b:x"):
                status, headers, text = call(port, path, Host=host)
                assert status == 400
                assert "its Host is not in ALLOWED_HOSTS, where this server's operator" in text
                assert host not in text
                assert headers["Content-Type"].startswith(
                    "text/plain" if path == "/admin/" else "application/json"
                )
    lines = log.read_text().splitlines()
    assert len(lines) == 3 * len(paths)
    assert len([line for line in lines if wrong in line and "ALLOWED_HOSTS" in line]) == len(paths)


LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (WARNING|ERROR) [\w.]+: .+"


def test_each_line_of_the_log_has_time_and_level(url, tmp_path):
    """Django's, the app's, the supervision's and granian's own."""
    log = tmp_path / "log"
    with serving(url, log=log) as port:
        call(port, "/", Host="made-up.example")
        (server,) = [one for one in children(os.getpid()) if children(one)]
        os.kill(children(server)[0], signal.SIGKILL)
        until(lambda: "another one starts" in log.read_text(), "the line")
    lines = log.read_text().splitlines()
    assert len(lines) >= 2
    for line in lines:
        assert re.fullmatch(LINE, line), line
    assert {line.split()[2] for line in lines} >= {
        "django.security.DisallowedHost:",
        "gm_project.serving.supervision:",
    }
