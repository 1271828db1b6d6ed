"""The example authorization server as a process, and a user at a browser."""

import contextlib
import html
import json
import os
import re
import secrets
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import requests

from .standalone import ROOT, environment, free_port, wait_for

# Another interpreter, to try other versions of the toolkit and Django.
PYTHON = os.environ.get("EXAMPLE_PYTHON", sys.executable)
EXAMPLE = ROOT / "examples" / "oauth_toolkit"


@contextlib.contextmanager
def example_server(database_url):
    """A new database, a server; yields what `seed.py` said."""
    port = free_port()
    env = environment(
        DATABASE_URL=database_url,
        SECRET_KEY=secrets.token_urlsafe(50),
        BASE_URL=f"http://127.0.0.1:{port}",
        PYTHONPATH=str(ROOT),
    )

    def manage(*arguments):
        line = [PYTHON, "manage.py", *arguments]
        return subprocess.run(
            line, cwd=EXAMPLE, env=env, check=True, capture_output=True, text=True
        ).stdout

    manage("migrate", "-v", "0")
    seeded = json.loads(manage("shell", "-v", "0", "-c", "import seed; seed.main()"))
    line = [
        PYTHON,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "warning",
        "--blocking-threads",
        "2",
        "wsgi:application",
    ]
    process = subprocess.Popen(line, cwd=EXAMPLE, env=env, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield seeded | {"manage": manage}
    finally:
        process.terminate()
        process.wait(timeout=30)


class Browser:
    """A user who logs in, and presses Allow or Cancel."""

    def __init__(self, base, username, password):
        self.base = base
        self.session = requests.Session()
        page = self.session.get(f"{base}/login/", timeout=20)
        data = fields(page.text) | {"username": username, "password": password}
        done = self.session.post(page.url, data=data, timeout=20, allow_redirects=False)
        assert done.status_code == 302, done.text

    def open(self, url):
        return self.session.get(url, timeout=20, allow_redirects=False)

    def authorize(self, url, *, allow=True, at=None):
        """The redirect to the client; `at` is where the form is sent, if not where it came from."""
        page = self.open(url)
        if page.status_code == 302:
            return page.headers["Location"]
        assert page.status_code == 200, page.text
        data = fields(page.text) | ({"allow": "on"} if allow else {})
        done = self.session.post(at or url, data=data, timeout=20, allow_redirects=False)
        assert done.status_code == 302, done.text
        return done.headers["Location"]


def fields(page):
    """The hidden fields of a form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    found += re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)" id', page)
    return {name: html.unescape(value) for name, value in found}


def parameters(location):
    """Of a redirect to the client."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
