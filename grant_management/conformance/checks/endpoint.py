"""Checks of the grant management API before the revoke (draft §6.1 to §6.4, §6.6)."""

import math
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ..fields import allowed_methods, is_json, is_not_stored
from ..http import Response
from ..server_under_test import ServerUnderTest
from ..suite import Check, declare
from ..verdict import Skip, require
from .expect import (
    array,
    content_of,
    has_challenge,
    is_shown,
    objects,
    scopes_of,
    status_is,
)
from .repairs import REPAIRS

CHECKS: list[Check] = []
check = declare(CHECKS, REPAIRS)

METHODS = {"GET", "DELETE"}
TIMES = ("created_at", "expires_at", "last_updated", "last_updated_at")
UPDATERS = ("client", "authorization_server")
TOKENS = ("access_token", "refresh_token")
# The first second of the year 10000. A later time must be in milliseconds.
END_OF_TIME = 253402300800

_SCOPE = re.compile(r"[!#-\[\]-~]+(?: [!#-\[\]-~]+)*")  # RFC 6749 §3.3
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")


@check("GM-16", "6.6", "a request without an access token is 401, with a challenge")
def _(server: ServerUnderTest) -> None:
    for response in _both(server, ""):
        status_is(response, 401)
        has_challenge(response)


@check("GM-17", "6.6", "an access token that does not exist is 401, invalid_token")
def _(server: ServerUnderTest) -> None:
    for response in _both(server, secrets.token_urlsafe(32)):
        status_is(response, 401)
        has_challenge(response, "invalid_token")


@check("GM-18", "6.1", "an access token without the scope is 403")
def _(server: ServerUnderTest) -> None:
    for response in _both(server, server.given("weak_access_token")):
        status_is(response, 403)


@check("GM-19", "6.4", "a query is 200, application/json, and is not stored")
def _(server: ServerUnderTest) -> None:
    response = server.request()
    status_is(response, 200)
    require(is_json(response), f"its media type is {response.field('Content-Type') or 'none'}")
    response.members()
    require(is_not_stored(response), "Cache-Control lacks no-store")


@check("GM-20", "6.4", "scopes are objects with a scope and absolute URIs as resource")
def _(server: ServerUnderTest) -> None:
    content = content_of(server)
    if server.created:
        missing = set(server.config.scope.split()) - scopes_of(content)
        require(not missing, f"consented to, and not shown: {sorted(missing)}")
    for entry in objects(_member(content, "scopes"), "scopes"):
        scope = entry.get("scope")
        require(isinstance(scope, str) and bool(_SCOPE.fullmatch(scope)), "one has no scope")
        resources = array(entry.get("resource", []), "resource")
        require(all(map(_is_absolute_uri, resources)), "a resource is no absolute URI")


@check("GM-21", "6.4", "claims are names")
def _(server: ServerUnderTest) -> None:
    claims = array(_member(content_of(server), "claims"), "claims")
    require(all(isinstance(one, str) and one for one in claims), "one is no name")


@check("GM-22", "6.4", "authorization_details are objects with a type")
def _(server: ServerUnderTest) -> None:
    name = "authorization_details"
    for entry in objects(_member(content_of(server), name), name):
        require(isinstance(entry.get("type"), str) and entry["type"] != "", "one has no type")


@check("GM-23", "6.4", "times are numbers, and updated_by is client or authorization_server")
def _(server: ServerUnderTest) -> None:
    content = content_of(server)
    if not content.keys() & {*TIMES, "updated_by"}:
        raise Skip("the grant has none")
    for name in content.keys() & set(TIMES):
        require(_is_numeric_date(content[name]), f"{name} is no time in seconds")
    updated_by = content.get("updated_by", "client")
    require(updated_by in UPDATERS, f"updated_by is {updated_by}")


@check("GM-24", "6", "a query shows no token")
def _(server: ServerUnderTest) -> None:
    own, response = server.own(), server.request()
    status_is(response, 200)
    for name, value in (*response.headers.items(), *_walk(response.members())):
        require(name not in TOKENS, f"it has {name}")
        for token in filter(None, (own.access_token, own.refresh_token)):
            require(token not in name and token not in value, "a token is in it")


@check("GM-25", "6", "there is no list of grants")
def _(server: ServerUnderTest) -> None:
    token = server.own("access_token").access_token
    for url in (server.endpoint(), f"{server.endpoint()}/"):
        # Other statuses, such as 429 and 500, do not show that there is no list.
        status_is(server.send("GET", url, token), 400, 401, 403, 404, 405)
    is_shown(server)


@check("GM-26", "6.6", "a grant that does not exist is 404")
def _(server: ServerUnderTest) -> None:
    unknown = secrets.token_urlsafe(32)
    status_is(server.request(grant_id=unknown), 404)
    status_is(server.request("DELETE", grant_id=unknown), 404)
    is_shown(server)


@check("GM-27", "6.6", "a grant of another client is 403, or 404")
def _(server: ServerUnderTest) -> None:
    other = server.given("other_grant_id")
    status_is(server.request(grant_id=other), 403, 404)
    status_is(server.request("DELETE", grant_id=other), 403, 404)
    is_shown(server)


@check("GM-28", "6.3 (RFC 9110, 15.5.6)", "another method is 405, with Allow")
def _(server: ServerUnderTest) -> None:
    for method in ("POST", "PUT", "PATCH"):
        response = server.request(method)
        status_is(response, 405)
        allowed = allowed_methods(response)
        require(allowed >= METHODS, f"Allow lacks {sorted(METHODS - allowed)}")
        require(method not in allowed, f"Allow has {method}")


def _both(server: ServerUnderTest, token: str) -> Iterator[Response]:
    """The responses to a query and a revoke with this token, which must be refused.

    The revoke is of another grant where there is one, so that a server that accepts it spoils no
    other check. Failure: the grant is not shown afterwards.
    """
    yield server.request(token=token)
    yield server.request("DELETE", (server.spare or server.own("grant_id")).grant_id, token)
    is_shown(server)


def _member(content: dict[str, Any], name: str) -> Any:
    """A member of the content. Skip: it is absent or an empty array, which shows nothing."""
    if content.get(name, []) == []:
        raise Skip("the grant has none")
    return content[name]


def _is_absolute_uri(value: Any) -> bool:
    """Whether it is a URI with a scheme and without a fragment (RFC 8707 §2, RFC 3986 §4.3)."""
    if not isinstance(value, str) or not _ABSOLUTE_URI.fullmatch(value):
        return False
    parts = urlsplit(value)
    return parts.scheme not in ("http", "https") or bool(parts.hostname)


def _is_numeric_date(value: Any) -> bool:
    """Whether it is a NumericDate: a JSON number of seconds (RFC 7519 §2)."""
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value < END_OF_TIME


def _walk(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each value at any depth: the name of the member that it is in, and its text."""
    yield name, "" if isinstance(value, dict | list) else str(value)
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from _walk(one, inner)
    if isinstance(value, list):
        for one in value:
            yield from _walk(one, name)
