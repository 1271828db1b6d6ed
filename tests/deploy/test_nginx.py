"""`deploy/nginx.conf` by Debian's nginx, in front of a real server."""

import contextlib
import json
import re
import socketserver
import threading
import urllib.parse
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin

from grant_management.api.errors import Throttled, refusal_response
from grant_management.conf import Settings
from grant_management.contrib.openapi.paths import routes
from grant_management.protocol.results import Refused, Result
from grant_management.urls import urlpatterns

from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    RECORDS,
    free_port,
    raw,
    running,
    seed,
    serving,
    until,
    wait_for,
    write_records,
)
from .site import CONFIGURATION, NGINX, site, write_pair

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
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
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def database(folder):
    url = f"sqlite:///{folder / 'own.sqlite3'}"
    seed(url, folder)
    token = {
        "type": "access_token",
        "service": 1001,
        "client_id": "app-1",
        "token": "t-3",
        "scopes": ["grant_management_query"],
        "cnf": {"x5t#S256": write_pair(folder, "client.pem", "client.key")},
    }
    write_records(url, folder, [*RECORDS[:2], token])
    return url


@pytest.fixture(scope="module")
def client(database, folder):
    """The files of the certificate that a token is bound to, and of its key."""
    return folder / "client.pem", folder / "client.key"


def documented():
    """The app's settings that the file says belong to it."""
    return re.search(r"GRANT_MANAGEMENT='(.*)'", CONFIGURATION.read_text())[1]


@pytest.fixture(scope="module")
def server(database):
    with serving(database, GRANT_MANAGEMENT=documented(), **ENVIRONMENT) as port:
        yield port


@pytest.fixture(scope="module")
def proxy(server, folder):
    with site(folder, server) as one:
        yield one


@pytest.fixture(scope="module")
def echo(database, tmp_path_factory):
    """In front of an application that tells what arrived."""
    folder = tmp_path_factory.mktemp("echo")
    line = (database, 1)
    with (
        echoing(*line) as port,
        site(folder, port, **{"proxy_read_timeout 30s": "proxy_read_timeout 1s"}) as one,
    ):
        yield one


@contextlib.contextmanager
def echoing(database, workers):
    port = free_port()
    line = ("-m", "gm_project.serving", "127.0.0.1", port, workers, "tests.deploy.echo:application")
    with running(*line, DATABASE_URL=database):
        wait_for(port)
        yield port


def query(proxy, **how):
    return proxy.call("POST", PATH, json.dumps(QUERY), JSON, **how)


def as_said(refusal):
    """What the application itself would answer."""
    return json.loads(refusal_response(refusal).content)


def test_query_through_tls(proxy):
    answer = query(proxy)
    assert (answer.status, answer.json["resultCode"]) == (200, "A277001")
    assert answer.headers["Strict-Transport-Security"]  # it knows that this was TLS
    assert "nginx/" not in answer.headers["Server"]


def test_certificate_of_the_client(proxy, client):
    assert proxy.call("GET", GRANT, headers=BOUND, client=client).status == 200
    refused = proxy.call("GET", GRANT, headers=BOUND)
    assert (refused.status, "A281301" in refused.json["error_description"]) == (401, True)


def test_other_certificate_of_the_client(proxy, tmp_path):
    """It is handed on, though nobody known issued it, and it is not the token's."""
    write_pair(tmp_path, "other.pem", "other.key")
    other = (tmp_path / "other.pem", tmp_path / "other.key")
    refused = proxy.call("GET", GRANT, headers=BOUND, client=other)
    assert (refused.status, "A281304" in refused.json["error_description"]) == (401, True)


@pytest.mark.parametrize(
    "name", ["ClientCert", "clientcert", "CLIENTCERT", "Client-Cert", "Client_Cert", "Client.Cert"]
)
def test_certificate_that_the_client_only_says(proxy, server, client, tmp_path, name):
    """With no certificate of its own, and beside another one."""
    pem = urllib.parse.quote(client[0].read_text())
    refused = proxy.call("GET", GRANT, headers=BOUND | {name: pem})
    assert (refused.status, "A281301" in refused.json["error_description"]) == (401, True)
    write_pair(tmp_path, "other.pem", "other.key")
    other = (tmp_path / "other.pem", tmp_path / "other.key")
    refused = proxy.call("GET", GRANT, headers=BOUND | {name: pem}, client=other)
    assert (refused.status, "A281304" in refused.json["error_description"]) == (401, True)


def test_such_a_header_would_be_believed_from_the_proxy(server, client):
    """So the test before this one is of the proxy."""
    lines = [f"GET {GRANT} HTTP/1.1", "Host: localhost", "Authorization: Bearer t-3"]
    lines += [f"ClientCert: {urllib.parse.quote(client[0].read_text())}", "Connection: close"]
    assert raw(server, "".join(f"{line}\r\n" for line in [*lines, ""]).encode())[0] == 200


def test_what_is_handed_on(echo):
    """The client's address, and nothing that it says of itself in place of a proxy."""
    said = {
        "X-Forwarded-For": "192.0.2.9",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
        "X-Real-IP": "192.0.2.9",
        "Forwarded": "for=192.0.2.9",
        "X_Forwarded_For": "192.0.2.9",
        "ClientCert": "a",
    }
    told = echo.call("GET", "/", headers=said, source="127.0.0.5").json
    known = {name: value for name, value in told.items() if name not in ("CONTENT_LENGTH", "size")}
    assert known == {
        "HTTP_HOST": "127.0.0.1",
        "HTTP_ACCEPT_ENCODING": "identity",
        "HTTP_X_FORWARDED_FOR": "127.0.0.5",
        "HTTP_X_FORWARDED_PROTO": "https",
        "REMOTE_ADDR": "127.0.0.1",
    }


def test_chunked_body_gets_a_length(proxy):
    """The server itself cannot see where one breaks off, and refuses it."""
    whole = proxy.call("POST", PATH, iter([json.dumps(QUERY).encode()]), JSON)
    assert (whole.status, whole.json["resultCode"]) == (200, "A277001")


def test_limit_of_a_body(proxy):
    """The application's limit, to the byte."""
    most = Settings.max_body_size.default
    fits = json.dumps(QUERY).ljust(most)
    assert proxy.call("POST", PATH, fits, JSON).json["resultCode"] == "A277001"
    refused = proxy.call("POST", PATH, fits + " ", JSON)
    expected = as_said(Refused(Result.BODY_TOO_LARGE, f"The limit is {most} bytes."))
    assert (refused.status, refused.json) == (413, expected)
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {most + 1}\r\n\r\n"
    assert proxy.exchange(head.encode()).json == expected  # none of it was sent


def test_limit_of_a_form(proxy):
    """The admin takes what Django takes."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert proxy.call("POST", "/admin/login/", "a" * (most + 1), form).status == 413
    assert proxy.call("POST", "/admin/login/", "a" * most, form).status == 403  # no CSRF token


HALF_HEAD = b"POST /api/1001/gm HTTP/1.1\r\nHost: localhost\r\nAuthor"
HALF_BODY = (
    f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {API_TOKEN}\r\n"
    "Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
).encode()
IDLE = b"GET /.well-known/oauth-authorization-server/1001 HTTP/1.1\r\nHost: localhost\r\n\r\n"


PATIENT = {
    "client_header_timeout 10s;\n    client_body_timeout 10s": "client_header_timeout 300s;"
    " client_body_timeout 300s"
}
HASTY = {
    "client_header_timeout 10s;\n    client_body_timeout 10s": "client_header_timeout 1s;"
    " client_body_timeout 1s",
    "keepalive_timeout 60s": "keepalive_timeout 1s",
}


def test_clients_that_stall(server, tmp_path):
    """200 of them, at each point; the server has two threads, and all other calls are answered.

    Here nginx waits for the clients longer than a call waits for its answer.
    """
    with site(tmp_path, server, **PATIENT) as proxy, contextlib.ExitStack() as stalled:
        for number in range(200):
            source = f"127.0.1.{number % 4 + 1}"
            connection = stalled.enter_context(proxy.connect(source=source))
            connection.sendall((HALF_HEAD, HALF_BODY, IDLE, b"")[number % 4])
        answers = [query(proxy) for _ in range(20)]
    assert [answer.json["resultCode"] for answer in answers] == ["A277001"] * 20


@pytest.mark.parametrize("sent", [HALF_HEAD, HALF_BODY, IDLE, b""])
def test_a_client_that_stalls_is_let_go(server, tmp_path, sent):
    with site(tmp_path, server, **HASTY) as proxy, proxy.connect() as connection:
        connection.sendall(sent)
        with contextlib.suppress(OSError):  # ended without a farewell
            while connection.recv(65_536):
                pass


def test_requests_in_hand_have_a_limit_by_address(server, tmp_path):
    """A hundred stalled bodies of one address: it is told to wait, and nobody else is."""
    with site(tmp_path, server, **PATIENT) as proxy, contextlib.ExitStack() as stalled:
        for _ in range(100):
            connection = stalled.enter_context(proxy.connect(source="127.0.2.1"))
            connection.sendall(HALF_BODY)
        until(lambda: query(proxy, source="127.0.2.1").status == 429, "a refusal")
        refused = query(proxy, source="127.0.2.1")
        assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
        assert refused.json == as_said(Throttled(1))
        assert query(proxy).status == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/%72eadyz", "//readyz"])
def test_health_is_not_for_everybody(proxy, path):
    refused = proxy.call("GET", path, source="127.0.3.1")
    assert (refused.status, refused.json) == (404, as_said(Refused(Result.ROUTE_UNKNOWN)))


@pytest.mark.parametrize(
    "request_line",
    [
        b"GARBAGE",
        b"POST /\x01 HTTP/1.1",
        b"GET / HTTP/9.9",
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1",
        b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 40_000,
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        b"TRACE / HTTP/1.1\r\nHost: a",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a",
    ],
    ids=lambda line: repr(line[:40]),
)
def test_what_nginx_refuses_itself_is_json(proxy, request_line):
    refused = proxy.exchange(request_line + b"\r\n\r\n")
    assert refused.status in (400, 405, 414, 501, 505)
    assert refused.headers["Content-Type"] == "application/json"
    assert refused.headers["Cache-Control"] == "no-store"
    unreadable = as_said(Refused(Result.BODY_UNREADABLE, "its headers are not acceptable."))
    method = as_said(Refused(Result.METHOD_NOT_ALLOWED))
    assert refused.json == (method if refused.status == 405 else unreadable)


def test_plain_http(proxy):
    """On the port of TLS, and on that of plain HTTP: refused. A page of the admin is redirected."""
    for port, status in ((proxy.port, 400), (proxy.plain_port, 404)):
        said, headers, body = raw(
            port, b"GET /gm/1/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        assert (said, headers["content-type"]) == (status, "application/json")
        assert json.loads(body)["resultCode"] in ("A126202", "A001208")
    said, headers, _ = raw(proxy.plain_port, b"GET /admin/ HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (said, headers["location"]) == (301, "https://a/admin/")


class BreaksOff(socketserver.StreamRequestHandler):
    """Answers GET and keeps the connection; at a DELETE it hangs up, as a worker that is killed."""

    deleted = 0

    def handle(self):
        while line := self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            if line.startswith(b"DELETE"):
                BreaksOff.deleted += 1
                return
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def test_a_request_is_never_sent_twice(tmp_path):
    """The application may have acted on it: a second DELETE would find no grant, a proof be used."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), BreaksOff) as upstream:
        upstream.daemon_threads = True
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        with site(tmp_path, upstream.server_address[1]) as proxy:
            for _ in range(20):
                assert proxy.call("GET", GRANT).status == 200
                assert proxy.call("DELETE", GRANT).status == 502
        upstream.shutdown()
    assert BreaksOff.deleted == 20


def test_application_that_takes_too_long(echo):
    late = echo.call("POST", "/slow", "{}", JSON)
    assert (late.status, late.json) == (504, as_said(Refused(Result.SERVER_FAILED)))


def test_application_that_has_ended(database, tmp_path):
    """The API's JSON at the API's paths, a line of text for operators; and then it is back."""
    with contextlib.ExitStack() as stack:
        with echoing(database, 1) as port:
            proxy = stack.enter_context(site(tmp_path, port))
            assert query(proxy).status == 200
        for method, path in (("POST", PATH), ("GET", GRANT), ("DELETE", "/gm/1/a"), ("GET", "/x")):
            gone = proxy.call(method, path, headers=JSON)
            assert (gone.status, gone.json) == (502, as_said(Refused(Result.SERVER_FAILED)))
            assert (gone.headers["Retry-After"], gone.headers["Cache-Control"]) == (
                "10",
                "no-store",
            )
        page = proxy.call("GET", "/admin/")
        assert (page.status, page.headers["Content-Type"]) == (502, "text/plain")
        line = ("-m", "gm_project.serving", "127.0.0.1", port, 1, "tests.deploy.echo:application")
        stack.enter_context(running(*line, DATABASE_URL=database))
        wait_for(port)
        assert query(proxy).status == 200


def logged(proxy, source, paths):
    """What the access log has in place of each path."""
    for path in paths:
        proxy.call("GET", path, source=source)
    log = proxy.folder / "grant-management.access.log"

    def ours():
        lines = log.read_text().splitlines()
        return [line.split() for line in lines if line.startswith(f"{source} ")]

    until(lambda: len(ours()) == len(paths), "all lines")
    return [line[3] for line in ours()]


def test_the_log_has_every_route(proxy):
    """Of the API, of the admin's pages, and of the front page."""
    templates = [
        *(path for path, *_ in routes(urlpatterns) if "[" not in path and "?" not in path),
        "/",
        *{f"/admin/{model._meta.app_label}/" for model in admin.site._registry},
        *(
            f"/admin/{model._meta.app_label}/{model._meta.model_name}/{{subject}}/change/"
            for model in admin.site._registry
        ),
    ]
    secret = "s3cret-s3cret"
    numbered = [one.replace("{serviceId}", "1001") for one in templates]
    paths = [re.sub(r"\{\w+\}", secret, one) for one in numbered]
    expected = [re.sub(r"\{\w+\}(/change/)?", "*", one) for one in numbered]

    def stem(one):
        return re.sub(r"(/\*)*/?$", "", one)

    assert len(paths) > 90
    assert [*map(stem, logged(proxy, "127.0.4.2", paths))] == [*map(stem, expected)]


@pytest.mark.parametrize("secret", ["12345678901234567890", "abcdefghijklmnop"])
def test_the_log_has_no_credential_that_looks_like_a_part(proxy, secret):
    source = f"127.0.4.{len(secret)}"
    paths = [
        f"/api/{secret}/auth/gm",
        f"/gm/{secret}/g-1",
        f"/self/{secret}/grants",
        f"/ssf/{secret}/jwks",
        f"/.well-known/ssf-configuration/{secret}",
        f"/admin/grant_management/{secret}/",
        f"/admin/{secret}/",
        f"/api/1001/webhooks/{secret}/{secret}",
    ]
    assert secret not in str(logged(proxy, source, paths))


def test_logs_have_no_credential(proxy):
    secret = "s3cret-s3cret"
    for path in (
        f"{GRANT}?access_token={secret}",
        f"/api/1001/grants/{secret}/get",
        f"/gm/1001/{secret}",
        f"/api/1001/{secret}",
        f"/{secret}",
        f"/admin/grant_management/grant/{secret}/?q={secret}",
        f"/api/1001/auth/token/delete/{secret}",
        f"/api/1001/client/authorization/get/list/{secret}?subject={secret}",
        f"/api/1001/client/get/list?developer={secret}",
        f"/livez?{secret}",
    ):
        proxy.call(
            "GET", path, headers={"Authorization": secret, "Referer": secret}, source="127.0.4.1"
        )
    proxy.exchange(f"GET /?{secret} HTTP/9.9\r\n\r\n".encode())
    log = proxy.folder / "grant-management.access.log"

    def ours():
        lines = log.read_text().splitlines()
        return [line.split() for line in lines if line.startswith("127.0.4.1 ")]

    until(lambda: len(ours()) == 10, "ten lines")
    assert [line[3] for line in ours()] == [
        "/gm/1001/*",
        "/api/1001/grants/*/get",
        "/gm/1001/*",
        "other",
        "other",
        "/admin/grant_management/grant/*",
        "/api/1001/auth/token/delete/*",
        "/api/1001/client/authorization/get/list/*",
        "/api/1001/client/get/list",
        "/livez",
    ]
    assert all(int(line[4]) >= 200 for line in ours())
    files = list(Path(proxy.folder).glob("*.log"))
    assert len(files) >= 2
    assert not any(secret in path.read_text() for path in files)
