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
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from requests_oauth2client import OAuth2Client

from .ours import connection
from .standalone import ROOT, environment, free_port, wait_for

# Another interpreter, to try other versions of the toolkit and Django.
PYTHON = os.environ.get("EXAMPLE_PYTHON", sys.executable)
EXAMPLE = ROOT / "examples" / "oauth_toolkit"
GM = "grant_management_query grant_management_revoke"
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"


def new_database(blocker, tmp_path_factory):
    """The URL of an empty one, of the kind that the run is on."""
    name = f"example_{secrets.token_hex(4)}"
    if connection.vendor != "postgresql":
        return f"sqlite:///{tmp_path_factory.mktemp(name) / 'db.sqlite3'}"
    with blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    base, _, rest = os.environ["DATABASE_URL"].partition("?")
    return f"{base.rpartition('/')[0]}/{name}?{rest}"


@contextlib.contextmanager
def example_server(database_url, *, workers=1, **variables):
    """A new database, a server; yields what `seed.py` said, `manage` and `run`."""
    port = free_port()
    env = example_environment(database_url, BASE_URL=f"http://127.0.0.1:{port}", **variables)

    def manage(*arguments):
        line = [PYTHON, "manage.py", *arguments]
        return subprocess.run(
            line, cwd=EXAMPLE, env=env, check=True, capture_output=True, text=True
        ).stdout

    manage("migrate", "-v", "0")
    with shell(env) as run, server(env, port, workers):
        seeded = run("import contextlib, io, seed\nout = io.StringIO()\n" + SEED)
        yield json.loads(seeded) | {"manage": manage, "run": run}


SEED = "with contextlib.redirect_stdout(out): seed.main()\nresult = out.getvalue()"


def example_environment(database_url, **variables):
    """In which the example runs with the settings of `example_settings.py`."""
    return environment(
        DATABASE_URL=database_url,
        DJANGO_SETTINGS_MODULE="tests.example_settings",
        SECRET_KEY=secrets.token_urlsafe(50),
        PYTHONPATH=f"{EXAMPLE}{os.pathsep}{ROOT}",
        **variables,
    )


@contextlib.contextmanager
def server(env, port, workers):
    """The example behind a real server."""
    line = [PYTHON, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    line += ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    line += ["--workers", str(workers), "--blocking-threads", "2", "wsgi:application"]
    process = subprocess.Popen(line, cwd=EXAMPLE, env=env, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextlib.contextmanager
def shell(env):
    """Yields what runs code in the example's project and returns its `result`."""
    line = [PYTHON, "-m", "tests.example_shell"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(line, cwd=EXAMPLE, env=env, text=True, **pipes)

    def run(code):
        process.stdin.write(json.dumps(code) + "\n")
        process.stdin.flush()
        went_well, result = json.loads(process.stdout.readline())
        assert went_well, result
        return result

    try:
        assert process.stdout.readline()
        yield run
    finally:
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()


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

    def opened(self, url):
        """The page as it is now; its form is sent when what this returns is called."""
        page = self.open(url)
        assert page.status_code == 200, page.text
        data = fields(page.text) | {"allow": "on"}

        def submit():
            done = self.session.post(url, data=data, timeout=60, allow_redirects=False)
            assert done.status_code == 302, done.text
            return done.headers["Location"]

        return submit

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


class Client:
    """An OAuth client: Authlib for the code flow, requests-oauth2client for its own tokens."""

    def __init__(self, example, number=0):
        self.base = example["base"]
        self.secrets = example["clients"][number]
        self.redirect_uri = example["redirect_uri"]

    def session(self, scope):
        ids = self.secrets["client_id"], self.secrets["client_secret"]
        return OAuth2Session(
            *ids, scope=scope, redirect_uri=self.redirect_uri, code_challenge_method="S256"
        )

    def url(self, session, verifier, **more):
        return session.create_authorization_url(
            f"{self.base}/o/authorize/", code_verifier=verifier, **more
        )[0]

    def authorize(self, browser, scope, **more):
        """The token response of one trip through the browser, or the error that came back."""
        session, verifier = self.session(scope), generate_token(48)
        location = browser.authorize(self.url(session, verifier, **more))
        if "error" in parameters(location):
            return parameters(location)
        return self.fetch(session, location, verifier)

    def fetch(self, session, location, verifier):
        url = f"{self.base}/o/token/"
        return dict(
            session.fetch_token(url, authorization_response=location, code_verifier=verifier)
        )

    def refresh(self, refresh_token, **more):
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **more)

    def consent(self, browser, scope, **more):
        """A code that was consented to, and what redeems it."""
        session, verifier = self.session(scope), generate_token(48)
        location = browser.authorize(self.url(session, verifier, **more))
        return {"code": parameters(location)["code"], "code_verifier": verifier}

    def opened(self, browser, scope, **more):
        """A consent page; call what this returns to press Allow, for where that leads."""
        session, verifier = self.session(scope), generate_token(48)
        url = self.url(session, verifier, **more)
        return browser.opened(url)

    def redeem(self, consented):
        return self.token(
            grant_type="authorization_code", redirect_uri=self.redirect_uri, **consented
        )

    def own_token(self, scope=GM):
        """By client credentials, as the same application has them in another registration."""
        auth = (self.secrets["own_client_id"], self.secrets["own_client_secret"])
        return (
            OAuth2Client(f"{self.base}/o/token/", auth, testing=True)
            .client_credentials(scope=scope)
            .access_token
        )

    def token(self, **data):
        """Of the token endpoint: the status and the answer."""
        auth = (self.secrets["client_id"], self.secrets["client_secret"])
        response = requests.post(f"{self.base}/o/token/", data=data, auth=auth, timeout=60)
        return response.status_code, response.json()

    def revoke(self, token):
        """At the toolkit (RFC 7009)."""
        auth = (self.secrets["client_id"], self.secrets["client_secret"])
        url = f"{self.base}/o/revoke_token/"
        return requests.post(url, data={"token": token}, auth=auth, timeout=60).status_code

    def gm(self, method, grant_id, token):
        headers = {"Authorization": f"Bearer {token}"}
        response = requests.request(
            method, f"{self.base}/gm/1/{grant_id}", headers=headers, timeout=60
        )
        return response.status_code, (response.json() if response.content else None)

    def opens(self, token):
        """Whether the toolkit's protected views take it: the introspection is one."""
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.base}/o/introspect/"
        answer = requests.post(url, data={"token": "x"}, headers=headers, timeout=60)
        assert answer.status_code in (200, 401, 403), answer.text
        return answer.status_code == 200


def fields(page):
    """The hidden fields of a form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    found += re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)" id', page)
    return {name: html.unescape(value) for name, value in found}


def parameters(location):
    """Of a redirect to the client."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
