"""Whatever somebody puts into a path or a query, no log has it: every route, at every status."""

import contextlib
import http.client
import json
import re
import sqlite3
from urllib.parse import quote, urlencode

import pytest
import requests
from django.contrib import admin
from django.utils.regex_helper import normalize

from grant_management import urls

from ..standalone import API_TOKEN, manage, serving, write_records

pytestmark = pytest.mark.usefixtures("once")
SECRET = "SecretOfAClient0123456789"
ORGANIZATION_TOKEN = "organization-token-of-a-test"
PASSWORD = "an-operator's-own-words"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def routes():
    """Every route of the API and of the admin, with the secret wherever a path can have a value."""
    found = set(_api(urls.urlpatterns))
    for part in admin.site.get_urls():
        for one in getattr(part, "url_patterns", [part]):
            prefix = str(part.pattern) if part is not one else ""
            found.add("/admin/" + re.sub(r"<[^>]+>", SECRET, prefix + str(one.pattern)))
    typos = (
        "api/1001/auth/token/delet/",
        "api/1001/hsk/get/",
        "gmx/1001/",
        "admin/grant_management/",
    )
    found |= {f"/{typo}{SECRET}" for typo in typos}
    return sorted(one for one in found if one.startswith("/") and "$" not in one and "(" not in one)


def _api(patterns, prefix=""):
    for one in patterns:
        text = prefix + str(one.pattern).removeprefix("^")
        if hasattr(one, "url_patterns"):
            yield from _api(one.url_patterns, text)
            continue
        values = {"service_id": "1001", "kind": "service", "operation": "all"}
        for form, names in normalize(text):
            yield "/" + form % {name: values.get(name, SECRET) for name in names}
            # Groups that may be left out are left out by `normalize`.
            yield "/" + form % {name: values.get(name, SECRET) for name in names} + f"/{SECRET}"


def call(session, port, method, path, **more):
    url = f"http://127.0.0.1:{port}{path}?{urlencode({'q': SECRET, 'token': SECRET})}"
    more = {"timeout": 30, "allow_redirects": False} | more
    return session.request(method, url, **more).status_code


def api_session(token=API_TOKEN):
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    session.headers["Referer"] = f"http://127.0.0.1/{SECRET}"
    return session


def operator(port):
    """A session of the admin, logged in."""
    session = requests.Session()
    url = f"http://127.0.0.1:{port}/admin/login/"
    session.get(url, timeout=30)
    data = {"username": "ann", "password": PASSWORD, "next": "/admin/"}
    data["csrfmiddlewaretoken"] = session.cookies["csrftoken"]
    assert session.post(url, data, timeout=30, allow_redirects=False).status_code == 302
    return session


def walk(port, sessions):
    """The statuses of every route, by each method, for each of these callers."""
    seen = set()
    for session in sessions:
        for path in routes():
            for method in ("GET", "POST", "DELETE", "PUT"):
                body = {"data": "{}", "headers": JSON} if method == "POST" else {}
                seen.add(call(session, port, method, path, **body))
    return seen


def odd_requests(port):
    """Requests that are refused before a route counts, or by its body."""
    path = f"/api/1001/auth/token/delete/{SECRET}"
    session, seen = api_session(), set()
    seen.add(call(session, port, "POST", "/api/1001/gm", data="x" * 2_000_000, headers=JSON))
    seen.add(call(session, port, "POST", "/api/1001/gm", data="x", headers={"Content-Type": "a/b"}))
    seen.add(call(session, port, "DELETE", path, headers={"Host": "elsewhere.example"}))
    seen.add(call(session, port, SECRET.upper()[:20], path))
    seen.add(call(session, port, "GET", f"/admin/{quote(SECRET)}%00"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        head = {"Authorization": f"Bearer {API_TOKEN}"} | JSON
        chunks = iter([b"{}"])
        connection.request("POST", f"/api/1001/gm?{SECRET}", chunks, head, encode_chunked=True)
        seen.add(connection.getresponse().status)
    return seen


RECORDS = [
    {"type": "organization", "id": 1, "name": "Example Bank"},
    {"type": "service", "id": 1001, "organization": 1, "name": "Retail"},
    {
        "type": "api_token",
        "kind": "service",
        "service": 1001,
        "token": API_TOKEN,
        "can_manage_clients": True,
    },
    {
        "type": "api_token",
        "kind": "organization",
        "organization": 1,
        "token": ORGANIZATION_TOKEN,
        "can_manage_tokens": True,
    },
    {"type": "client", "service": 1001, "client_id": "app-1"},
]


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "own.sqlite3"
    manage("migrate", "-v", "0", DATABASE_URL=f"sqlite:///{path}")
    write_records(f"sqlite:///{path}", tmp_path, RECORDS)
    who = ("createsuperuser", "--noinput", "--username", "ann", "--email", "ann@example.com")
    manage(*who, DATABASE_URL=f"sqlite:///{path}", DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    return path


def changes(**settings):
    return {
        "DJANGO_SETTINGS_MODULE": "tests.host_settings",
        "HOST_SETTINGS": json.dumps({"DATABASE_OPTIONS": {"timeout": 0.2}} | settings),
    }


def test_no_log_has_a_path(database, tmp_path):
    """The log is read whole: what was sent in paths, queries and headers is nowhere in it."""
    log = tmp_path / "server.log"
    with serving(f"sqlite:///{database}", log=log, **changes()) as port:
        ann = operator(port)
        callers = [api_session(), api_session("x"), api_session(ORGANIZATION_TOKEN), ann]
        seen = walk(port, [*callers, requests.Session()]) | odd_requests(port)
        with sqlite3.connect(database) as held:
            held.execute("BEGIN IMMEDIATE")
            members = {"clientIdentifier": "b", "name": "n"}
            seen.add(call(api_session(), port, "POST", "/api/1001/clients", json=members))
        held.close()
        with sqlite3.connect(database) as broken:  # a bug, with a traceback
            broken.execute("UPDATE grant_management_service SET not_before = '2026-13-45 00:00:00'")
        broken.close()
        assert call(ann, port, "GET", "/admin/grant_management/dailycount/") == 500
        seen |= walk(port, [api_session(), ann])
        with sqlite3.connect(database) as gone:
            gone.execute("ALTER TABLE grant_management_apitoken RENAME TO elsewhere")
        gone.close()
        seen |= walk(port, [api_session(), ann])
    wanted = {200, 204, 302, 400, 401, 403, 404, 405, 411, 413, 415, 500, 503}
    assert wanted <= seen, wanted - seen
    written = log.read_text()
    assert SECRET.lower() not in written.lower(), _around(written)
    said = {*re.findall(r"[A-Z]+ [\w.<>]+: (\d+) request=\S+$", written, re.MULTILINE)}
    assert said >= {"400", "401", "403", "404", "405", "411", "413", "415", "500"}
    assert re.search(r"GET [\w.]+: 500 request=\S+\n  ValueError\n", written, re.MULTILINE)
    assert API_TOKEN not in written
    assert ORGANIZATION_TOKEN not in written


def test_throttled(database, tmp_path):
    log = tmp_path / "server.log"
    settings = changes(GRANT_MANAGEMENT={"THROTTLE_RATE": "1/h"})
    with serving(f"sqlite:///{database}", log=log, **settings) as port:
        path = f"/api/1001/auth/token/delete/{SECRET}"
        assert [call(api_session(), port, "DELETE", path) for _ in range(2)] == [204, 429]
    written = log.read_text()
    assert "429" in written
    assert SECRET not in written


def _around(text):
    at = text.lower().index(SECRET.lower())
    return text[max(0, at - 300) : at + 100]
