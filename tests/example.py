"""The example authorization servers as processes, and a user at a browser."""

import contextlib
import functools
import json
import os
import secrets
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests_oauth2client import OAuth2Client

from .bridges import TOOLKIT, fields
from .ours import connection
from .standalone import ROOT, environment, free_port, wait_for

# Another interpreter, to try other versions of the toolkit and Django.
PYTHON = os.environ.get("EXAMPLE_PYTHON", sys.executable)
EXAMPLE = TOOLKIT.folder
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
def example_server(database_url, *, workers=1, bridge=TOOLKIT, **variables):
    """A new database, a server; yields what `seed.py` said, `manage` and `run`."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    env = example_environment(database_url, bridge, BASE_URL=base, **variables)

    def manage(*arguments):
        line = [PYTHON, "manage.py", *arguments]
        return subprocess.run(
            line, cwd=bridge.folder, env=env, check=True, capture_output=True, text=True
        ).stdout

    manage("migrate", "-v", "0")
    for command in bridge.prepare:
        manage(*command)
    with shell(env, bridge) as run, server(env, port, workers, bridge):
        seeded = run("import contextlib, io, seed\nout = io.StringIO()\n" + SEED)
        yield json.loads(seeded) | {"manage": manage, "run": run, "bridge": bridge, "env": env}


SEED = "with contextlib.redirect_stdout(out): seed.main()\nresult = out.getvalue()"


def example_environment(database_url, bridge=TOOLKIT, **variables):
    """In which the example runs with the settings of `example_settings.py`."""
    return environment(
        DATABASE_URL=database_url,
        DJANGO_SETTINGS_MODULE="tests.example_settings",
        SECRET_KEY=secrets.token_urlsafe(50),
        IDP_OIDC_PRIVATE_KEY=signing_key(),
        PYTHONPATH=f"{bridge.folder}{os.pathsep}{ROOT}",
        **variables,
    )


@functools.cache
def signing_key():
    """An RSA key in PEM, for ID tokens."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return key.decode()


@contextlib.contextmanager
def server(env, port, workers, bridge=TOOLKIT):
    """The example behind a real server."""
    line = [PYTHON, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    line += ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    line += ["--workers", str(workers), "--blocking-threads", "2", "wsgi:application"]
    process = subprocess.Popen(line, cwd=bridge.folder, env=env, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextlib.contextmanager
def shell(env, bridge=TOOLKIT):
    """Yields what runs code in the example's project and returns its `result`."""
    line = [PYTHON, "-m", "tests.example_shell"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(line, cwd=bridge.folder, env=env, text=True, **pipes)

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

    def __init__(self, base, username, password, bridge=TOOLKIT):
        self.base, self.bridge = base, bridge
        self.session = requests.Session()
        page = self.session.get(f"{base}{bridge.login}", timeout=20)
        data = fields(page.text) | {bridge.user_field: username, "password": password}
        done = self.session.post(page.url, data=data, timeout=20, allow_redirects=False)
        assert done.status_code == 302, done.text

    def open(self, url):
        return self.session.get(url, timeout=20, allow_redirects=False)

    def opened(self, url, *, allow=True, at=None, **changed):
        """The page as it is now; its form is sent when what this returns is called.

        `at` is where the form is sent, if not where it belongs; `changed` are other values of its
        fields.
        """
        page = self.open(url)
        assert page.status_code == 200, page.text
        there, data = self.bridge.form(page.text, url)
        data |= (self.bridge.allow if allow else self.bridge.cancel) | changed

        def submit():
            done = self.session.post(at or there, data=data, timeout=60, allow_redirects=False)
            assert done.status_code == 302, done.text
            return done.headers["Location"]

        return submit

    def authorize(self, url, **how):
        """The redirect to the client."""
        page = self.open(url)
        if page.status_code == 302:
            return page.headers["Location"]
        return self.opened(url, **how)()


class Client:
    """An OAuth client: Authlib for the code flow, requests-oauth2client for its own tokens."""

    def __init__(self, example, number=0):
        self.base, self.bridge = example["base"], example.get("bridge", TOOLKIT)
        self.secrets = example["clients"][number]
        self.redirect_uri = example["redirect_uri"]

    def session(self, scope):
        ids = self.secrets["client_id"], self.secrets["client_secret"]
        return OAuth2Session(
            *ids, scope=scope, redirect_uri=self.redirect_uri, code_challenge_method="S256"
        )

    def url(self, session, verifier, **more):
        return session.create_authorization_url(
            f"{self.base}{self.bridge.authorize}", code_verifier=verifier, **more
        )[0]

    def authorize(self, browser, scope, **more):
        """The token response of one trip through the browser, or the error that came back."""
        session, verifier = self.session(scope), generate_token(48)
        location = browser.authorize(self.url(session, verifier, **more))
        if "error" in parameters(location):
            return parameters(location)
        return self.fetch(session, location, verifier)

    def fetch(self, session, location, verifier):
        url = f"{self.base}{self.bridge.token}"
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
            OAuth2Client(f"{self.base}{self.bridge.token}", auth, testing=True)
            .client_credentials(scope=scope)
            .access_token
        )

    def token(self, **data):
        """Of the token endpoint: the status and the answer."""
        auth = (self.secrets["client_id"], self.secrets["client_secret"])
        response = requests.post(
            f"{self.base}{self.bridge.token}", data=data, auth=auth, timeout=60
        )
        return response.status_code, response.json()

    def revoke(self, token):
        """At the authorization server (RFC 7009)."""
        auth = (self.secrets["client_id"], self.secrets["client_secret"])
        url = f"{self.base}{self.bridge.revoke}"
        return requests.post(url, data={"token": token}, auth=auth, timeout=60).status_code

    def gm(self, method, grant_id, token):
        headers = {"Authorization": f"Bearer {token}"}
        response = requests.request(
            method, f"{self.base}/gm/1/{grant_id}", headers=headers, timeout=60
        )
        return response.status_code, (response.json() if response.content else None)

    def opens(self, token):
        """Whether a view of the server that is protected by tokens takes it."""
        return self.bridge.opens(self.base, token)


def parameters(location):
    """Of a redirect to the client."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
