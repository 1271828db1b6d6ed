"""A user at a browser: logs in where that is asked, allows, and copies the code."""

import html
import re
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

_FIELD = re.compile(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?')
_TICKED = re.compile(r'<input type="checkbox" name="scopes" value="([^"]+)"')
_ACTION = re.compile(r'<form[^>]* action="([^"]+)"')
_SHOWN = re.compile(r"^Log in as (\S+) with (\S+) at:\n(http\S+)$", re.MULTILINE)


def consent(reader, allow="allow"):
    """The code, by what the page printed last: who logs in, the password, and where."""
    username, password, url = _SHOWN.search(reader.said).groups()
    location = _allowed(url, "username", username, password, {allow: "Authorize"})
    return parse_qs(urlsplit(location).query)["code"][0]


def allow(username, password):
    """What ann does at the address that `try_grant_management` prints, until the client has its code."""
    return lambda url: _bring(_allowed(url, "username", username, password, {"allow": "Authorize"}))


def allow_at_allauth(username, password):
    """As `allow`. Its page has a box for each scope, and its button a value."""
    return lambda url: _bring(_allowed(url, "login", username, password, {"action": "grant"}))


def _bring(location):
    assert requests.get(location, timeout=20).status_code == 200


def _allowed(url, name, username, password, button):
    """Where the browser is sent after the consent."""
    session = requests.Session()
    page = session.get(url, timeout=20)
    if 'name="password"' in page.text:
        data = _hidden(page) | {name: username, "password": password}
        page = session.post(page.url, data=data, timeout=20)
    there = urljoin(page.url, _ACTION.search(page.text)[1]) if "action" in button else page.url
    data = _hidden(page) | {"scopes": _TICKED.findall(page.text)} | button
    done = session.post(there, data=data, timeout=20, allow_redirects=False)
    assert done.status_code == 302, done.text
    return done.headers["Location"]


def _hidden(page):
    assert page.status_code == 200, page.text
    return {name: html.unescape(value or "") for name, value in _FIELD.findall(page.text)}
