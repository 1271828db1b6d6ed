"""`deploy/haproxy.cfg` by Debian's HAProxy, in front of a real server."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import urllib.parse

import pytest

from grant_management.conf import Settings

from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    RECORDS,
    ROOT,
    environment,
    free_port,
    seed,
    serving,
    wait_for,
    write_records,
)
from .site import Site, write_pair
from .test_nginx import echoing

CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"
HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")
JSON = {"Authorization": f"Bearer {API_TOKEN}", "Content-Type": "application/json"}
BOUND = {"Authorization": "Bearer t-3"}
ENVIRONMENT = {"SECURE_PROXY_SSL_HEADER": "X-Forwarded-Proto,https"}
GRANT = "/gm/1001/g-1"


@pytest.fixture(scope="module", autouse=True)
def once(request):
    """SQLite, whichever database the run is on: that is not what these tests are about."""
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("seen with --db sqlite")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("haproxy")


@pytest.fixture(scope="module")
def database(folder):
    """A token is bound to `client.pem`."""
    url = f"sqlite:///{folder / 'own.sqlite3'}"
    seed(url, folder)
    token = {"type": "access_token", "service": 1001, "client_id": "app-1", "token": "t-3"}
    token |= {"scopes": ["grant_management_query"]}
    token |= {"cnf": {"x5t#S256": write_pair(folder, "client.pem", "client.key")}}
    write_records(url, folder, [*RECORDS[:2], token])
    return url


@pytest.fixture(scope="module")
def client(database, folder):
    return folder / "client.pem", folder / "client.key"


@contextlib.contextmanager
def site(folder, upstream):
    """HAProxy in front of the port `upstream`, by the file as it is but for paths and ports."""
    one = Site(free_port(), 0, folder)
    write_pair(folder, "fullchain.pem", "privkey.pem")
    both = [(folder / name).read_text() for name in ("fullchain.pem", "privkey.pem")]
    (folder / "both.pem").write_text("".join(both))
    words = {
        "bind :443": f"bind 127.0.0.1:{one.port}",
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
        "/etc/haproxy/grant-management.pem": str(folder / "both.pem"),
        "log /dev/log local0": "log stdout format raw local0",
    }
    if os.geteuid() != 0:
        words |= {"    user haproxy\n": "", "    group haproxy\n": ""}
    text = CONFIGURATION.read_text()
    for old, new in words.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "haproxy.cfg").write_text(text)
    with (folder / "log").open("w") as log:
        line = [HAPROXY, "-db", "-f", str(folder / "haproxy.cfg")]
        process = subprocess.Popen(line, env=environment(), stdout=log, stderr=log)
    try:
        wait_for(one.port)
        assert process.poll() is None
        yield one
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def server(database):
    documented = re.search(r"GRANT_MANAGEMENT='(.*)'", CONFIGURATION.read_text())[1]
    with serving(database, GRANT_MANAGEMENT=documented, **ENVIRONMENT) as port:
        yield port


@pytest.fixture(scope="module")
def proxy(server, folder):
    with site(folder, server) as one:
        yield one


def query(proxy, body=None, **how):
    return proxy.call("POST", PATH, body or json.dumps(QUERY), JSON, **how)


def test_query_through_tls(proxy):
    answer = query(proxy)
    assert (answer.status, answer.json["resultCode"]) == (200, "A277001")
    assert answer.headers["Strict-Transport-Security"]  # it knows that this was TLS


def test_certificate_of_the_client(proxy, client):
    assert proxy.call("GET", GRANT, headers=BOUND, client=client).status == 200
    refused = proxy.call("GET", GRANT, headers=BOUND)
    assert (refused.status, "A281301" in refused.json["error_description"]) == (401, True)


@pytest.mark.parametrize(
    "name", ["ClientCert", "clientcert", "CLIENTCERT", "Client-Cert", "Client_Cert", "Client.Cert"]
)
def test_certificate_that_the_client_only_says(proxy, client, tmp_path, name):
    """With no certificate of its own, and beside another one."""
    pem = urllib.parse.quote(client[0].read_text())
    refused = proxy.call("GET", GRANT, headers=BOUND | {name: pem})
    assert (refused.status, "A281301" in refused.json["error_description"]) == (401, True)
    write_pair(tmp_path, "other.pem", "other.key")
    other = (tmp_path / "other.pem", tmp_path / "other.key")
    refused = proxy.call("GET", GRANT, headers=BOUND | {name: pem}, client=other)
    assert (refused.status, "A281304" in refused.json["error_description"]) == (401, True)


def test_what_is_handed_on(database, tmp_path):
    """The client's address, and nothing that it says of itself in place of a proxy."""
    said = {
        "X-Forwarded-For": "192.0.2.9",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
        "X-Real-IP": "192.0.2.9",
        "Forwarded": "for=192.0.2.9",
        "X_Forwarded_For": "192.0.2.9",
        "X_Forwarded_Proto": "http",
        "Any_Name": "a",
        "ClientCert": "a",
    }
    with echoing(database, 1) as port, site(tmp_path, port) as one:
        told = one.call("GET", "/", headers=said, source="127.0.0.5").json
    known = {name: value for name, value in told.items() if name not in ("CONTENT_LENGTH", "size")}
    assert known == {
        "HTTP_HOST": "127.0.0.1",
        "HTTP_ACCEPT_ENCODING": "identity",
        "HTTP_X_FORWARDED_FOR": "127.0.0.5",
        "HTTP_X_FORWARDED_PROTO": "https",
        "REMOTE_ADDR": "127.0.0.1",
    }


def test_limit_of_a_body(proxy):
    """The application's limit, to the byte."""
    most = Settings.max_body_size.default
    fits = json.dumps(QUERY).ljust(most)
    assert query(proxy, fits).json["resultCode"] == "A277001"
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {most + 1}\r\n\r\n"
    refused = proxy.exchange(head.encode() + b" " * 70_000)  # more than the buffer: it is answered
    assert (refused.status, refused.json["resultCode"]) == (413, "A001206")


def test_health_is_for_this_machine(proxy):
    assert proxy.call("GET", "/readyz").status == 200
    assert proxy.call("GET", "/readyz", source="127.0.0.5").status == 404


def test_answer_where_the_application_is_gone(tmp_path):
    with site(tmp_path, free_port()) as one:
        answer = query(one)
    assert (answer.status, answer.json["resultCode"]) == (503, "A277101")


def test_log_has_no_credential(proxy, folder):
    proxy.call("GET", "/api/1001/auth/token/delete/a-credential?token=another", headers=JSON)
    log = (folder / "log").read_text()
    assert " GET 404 " in log
    assert not [word for word in ("a-credential", "another", API_TOKEN, "t-3") if word in log]
