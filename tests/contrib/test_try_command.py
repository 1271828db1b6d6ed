"""`try_grant_management`, which plays a client: the same tests for every bridge."""

import contextlib
import json
import re
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from ..bridges import EACH
from ..example import PYTHON, parameters
from ..example_world import World, served
from ..standalone import free_port


@pytest.fixture(scope="module", params=EACH)
def world(request, django_db_setup, django_db_blocker, tmp_path_factory):
    with served(django_db_blocker, tmp_path_factory, bridge=request.param) as seeded:
        yield World(seeded)


@contextlib.contextmanager
def trying(world, *arguments, base=None):
    """The command, and the address that it prints."""
    line = [PYTHON, "manage.py", "try_grant_management", "--base-url", base or world.base]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        [*line, *arguments], cwd=world.bridge.folder, env=world.seeded["env"], **pipes
    ) as process:
        said = process.stderr if "--json" in arguments else process.stdout
        try:
            assert said.readline().startswith("Open this address in a browser")
            yield process, said.readline().strip()
        finally:
            process.kill()


def ended(process):
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return process.returncode, out, err


def is_left(world):
    """Whether its client is still at the server."""
    seen = "try:\n    result = bool(application('try-grant-management'))\nexcept Exception:\n    result = False"
    return world.run(world.theirs + seen)


def test_to_the_end(world):
    for _ in range(2):
        with trying(world) as (process, url):
            assert requests.get(world.ann.authorize(url), timeout=60).status_code == 200
            code, out, err = ended(process)
        assert (code, err) == (0, "")
        lines = [re.sub(r" /gm/1/[\w-]{43}: ", " ", line) for line in out.splitlines()]
        scopes = '{"scopes": [{"scope": "grant_management_query grant_management_revoke"}]}'
        assert lines[:2] == [f"GET 200 {scopes}", "DELETE 204"]
        assert lines[2].startswith('GET 401 {"error": "invalid_token"')
        assert not is_left(world)


def test_as_json(world):
    """Standard output has the one value alone."""
    with trying(world, "--json") as (process, url):
        requests.get(world.ann.authorize(url), timeout=60)
        code, out, _ = ended(process)
    assert code == 0
    assert [one[:2] for one in json.loads(out)] == [["GET", 200], ["DELETE", 204], ["GET", 401]]


def test_a_user_who_does_not_allow_it(world):
    with trying(world) as (process, url):
        requests.get(world.ann.authorize(url, allow=False), timeout=60)
        code, _, err = ended(process)
    assert code == 1
    assert "The authorization request was refused: access_denied." in err
    assert not is_left(world)


def test_an_answer_to_another_request(world):
    """It is not taken, and the client goes on waiting until Ctrl+C."""
    with trying(world) as (process, url):
        callback = parameters(url)["redirect_uri"]
        for query in ("code=x&state=another", "code=x", "error=access_denied", "code=x&state=%FF"):
            assert requests.get(f"{callback}?{query}", timeout=60).status_code == 404
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        code, _, err = ended(process)
    assert code == 1
    assert "Stopped before the request was allowed." in err
    assert not is_left(world)


def test_a_server_that_does_not_run(world):
    """It says so at once, and prints no address to open."""
    line = [PYTHON, "manage.py", "try_grant_management"]
    line += ["--base-url", f"http://127.0.0.1:{free_port()}"]
    done = subprocess.run(
        line, cwd=world.bridge.folder, env=world.seeded["env"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be reached: start the server first." in done.stderr


def test_a_server_that_ends_meanwhile(world):
    """After the address was printed."""
    with (
        answering(401, b'{"error": "invalid_token"}') as server,
        trying(world, base=f"http://127.0.0.1:{server.server_port}") as (process, url),
    ):
        server.server_close()
        asked = parameters(url)
        answer = {"code": "x", "state": asked["state"]}
        requests.get(asked["redirect_uri"], params=answer, timeout=60)
        code, _, err = ended(process)
    assert code == 1
    assert "cannot be reached: start the server first." in err


def test_it_is_set_up_already(world):
    """Again it says the same, and does not leave another address out in silence."""
    line = [PYTHON, "manage.py", "setup_grant_management"]
    how = {"cwd": world.bridge.folder, "env": world.seeded["env"], "capture_output": True}
    again = subprocess.run(line, text=True, **how)
    assert again.returncode == 0, again.stderr
    assert re.match(r"Service 1\. Its grants are at http", again.stdout)
    elsewhere = subprocess.run([*line, "--base-url", "http://127.0.0.1:1"], text=True, **how)
    assert (elsewhere.returncode, elsewhere.stdout) == (1, "")
    assert "Service 1 has the endpoint http" in elsewhere.stderr


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>"])
def test_another_server(world, body):
    """One that has the port: the command would wait for its answer for ever."""
    with answering(401, body) as server:
        base = f"http://127.0.0.1:{server.server_port}"
        line = [PYTHON, "manage.py", "try_grant_management", "--base-url", base]
        done = subprocess.run(
            line, cwd=world.bridge.folder, env=world.seeded["env"], capture_output=True, text=True
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Another server answers at {base}" in done.stderr


@contextlib.contextmanager
def answering(status, body):
    """A server that answers its first request so."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield server
        thread.join(timeout=60)


def test_a_code_that_is_refused(world):
    with trying(world) as (process, url):
        asked = parameters(url)
        answer = {"code": "x", "state": asked["state"]}
        requests.get(asked["redirect_uri"], params=answer, timeout=60)
        code, _, err = ended(process)
    assert code == 1
    assert "The token request was refused: invalid_grant." in err
