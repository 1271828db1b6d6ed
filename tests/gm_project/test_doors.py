"""One door of the two: the API, or the admin."""

import http.client
import subprocess
import sys

import pytest

from ..standalone import API_TOKEN, PATH, ROOT, environment, post, serving


def status(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    connection.close()
    names = {name.lower() for name in response.headers}
    return response.status, response.headers["Content-Type"], names


pytestmark = pytest.mark.usefixtures("once")
SECURITY = {"content-security-policy", "x-content-type-options", "x-frame-options"}


@pytest.mark.parametrize("only", ["api", "admin", ""])
def test_each_serves_its_own(url, only):
    with serving(url, ONLY=only) as port:
        code, _, sent = status(port, "/admin/login/")
        assert code == (404 if only == "api" else 200)
        assert sent >= SECURITY
        answer = post(port, PATH, API_TOKEN, {})
        assert (answer[0], answer[1]["resultCode"]) == (
            (404, "A001208") if only == "admin" else (200, "A278201")
        )
        code, kind, sent = status(port, "/nothing")
        assert (code, kind) == (404, "application/json")
        assert sent >= SECURITY


@pytest.mark.parametrize("only", ["api", "admin", ""])
def test_no_check_asks_for_what_a_door_does_not_need(url, only):
    line = [sys.executable, "manage.py", "check"]
    env = environment(DATABASE_URL=url, ONLY=only)
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (
        0,
        f"System check identified no issues ({3 if only == 'api' else 0} silenced).\n",
    )


def test_another_word_is_refused(url):
    line = [sys.executable, "manage.py", "check"]
    env = environment(DATABASE_URL=url, ONLY="pages")
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "ONLY must be api or admin" in done.stderr
