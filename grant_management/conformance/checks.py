"""The checks, by section of the draft. The last ones revoke the grant."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from .http import Response, send
from .suite import Skip, Subject, check, require

ACTIONS = {"query", "revoke", "create", "merge", "replace"}
UNKNOWN = "this-grant-does-not-exist-0123456789"


def status_is(response: Response, *expected: int) -> None:
    """Failure unless the status is one of these."""
    wanted = " or ".join(map(str, expected))
    require(response.status in expected, f"expected HTTP {wanted}, got {response.status}")


def error_is(answer: dict[str, Any], expected: str) -> None:
    """Failure unless the client got this error."""
    got = answer.get("error", "no error")
    require(got == expected, f"expected the error {expected}, got {got}")


def scopes_of(content: dict[str, Any]) -> set[str]:
    """The names of all scopes of a grant, whatever their resources."""
    return {name for entry in content.get("scopes", []) for name in entry["scope"].split()}


# Metadata


@check("GM-01", "7.1", "grant_management_actions_supported lists actions of the draft")
def _(subject: Subject) -> None:
    subject.metadata = subject.config.metadata()
    if not subject.config.metadata_url and not subject.config.issuer:
        raise Skip("no issuer and no metadata_url in the config")
    actions = subject.metadata.get("grant_management_actions_supported")
    require(isinstance(actions, list), "the member is missing, or is no array")
    unknown = set(actions or []) - ACTIONS
    require(not unknown, f"unknown actions: {sorted(unknown)}")


@check("GM-02", "6.2, 7.1", "grant_management_endpoint is an https URL")
def _(subject: Subject) -> None:
    url = urlsplit(subject.endpoint)
    local = url.hostname in ("127.0.0.1", "localhost", "::1")
    require(url.scheme == "https" or local, f"the scheme is {url.scheme}")
    require(not url.query and not url.fragment, "it has a query or a fragment")


@check("GM-03", "7.1", "grant_management_action_required is a boolean")
def _(subject: Subject) -> None:
    if "grant_management_action_required" not in subject.metadata:
        raise Skip("the member is absent, which means false")
    value = subject.metadata["grant_management_action_required"]
    require(isinstance(value, bool), "it is no boolean")


# Authorization requests


@check("GM-04", "5.5", "create: the token response has a grant_id")
def _(subject: Subject) -> None:
    scope = subject.config.scope
    tokens = subject.authorize(grant_management_action="create", scope=scope)
    subject.take(tokens)
    require(isinstance(tokens.get("grant_id"), str), "there is no grant_id")
    subject.grant_id = tokens["grant_id"]


@check("GM-05", "5.5", "grant_id is URL-safe")
def _(subject: Subject) -> None:
    grant_id = subject.need("grant_id")
    require(bool(re.fullmatch(r"[A-Za-z0-9\-._~]+", grant_id)), "it has reserved characters")


@check("GM-06", "5.3", "the authorization response has no grant_id")
def _(subject: Subject) -> None:
    scope = subject.config.scope
    tokens = subject.authorize(grant_management_action="create", scope=scope)
    if "authorization_response" not in tokens:
        raise Skip("the 'authorize' program does not print authorization_response")
    require("grant_id" not in tokens["authorization_response"], "it has one")


@check("GM-07", "5.2", "create makes another grant beside the first")
def _(subject: Subject) -> None:
    scope = subject.config.scope
    tokens = subject.authorize(grant_management_action="create", scope=scope)
    require(tokens.get("grant_id") != subject.need("grant_id"), "it is the same grant")
    status_is(subject.request(), 200)


@check("GM-08", "5.4", "create with a grant_id is invalid_request")
def _(subject: Subject) -> None:
    grant_id = subject.need("grant_id")
    scope = subject.config.scope
    answer = subject.authorize(grant_management_action="create", grant_id=grant_id, scope=scope)
    error_is(answer, "invalid_request")


@check("GM-09", "5.4", "grant_id without an action is invalid_request")
def _(subject: Subject) -> None:
    answer = subject.authorize(grant_id=subject.need("grant_id"), scope=subject.config.scope)
    error_is(answer, "invalid_request")


@check("GM-10", "5.4", "an action that does not exist is invalid_request")
def _(subject: Subject) -> None:
    scope = subject.config.scope
    answer = subject.authorize(grant_management_action="conformance", scope=scope)
    error_is(answer, "invalid_request")


@check("GM-11", "5.4", "merge and replace without a grant_id are invalid_request")
def _(subject: Subject) -> None:
    for action in ("merge", "replace"):
        scope = subject.config.scope
        answer = subject.authorize(grant_management_action=action, scope=scope)
        error_is(answer, "invalid_request")


@check("GM-12", "5.4", "a grant_id that does not exist is invalid_grant_id")
def _(subject: Subject) -> None:
    answer = subject.authorize(
        grant_management_action="merge", grant_id=UNKNOWN, scope=subject.config.scope
    )
    error_is(answer, "invalid_grant_id")


@check("GM-13", "5.4", "a grant_id of another client is invalid_grant_id")
def _(subject: Subject) -> None:
    other = subject.need("other_grant_id")
    scope = subject.config.scope
    answer = subject.authorize(grant_management_action="merge", grant_id=other, scope=scope)
    error_is(answer, "invalid_grant_id")


@check("GM-14", "5.2", "merge keeps grant_id, adds what was consented, kills refresh tokens")
def _(subject: Subject) -> None:
    more, earlier = subject.need("more_scope"), subject.refresh_token
    grant_id = subject.need("grant_id")
    tokens = subject.authorize(grant_management_action="merge", grant_id=grant_id, scope=more)
    subject_token = subject.access_token
    require(tokens.get("grant_id") == grant_id, f"grant_id became {tokens.get('grant_id')}")
    held = scopes_of(subject.request(token=subject_token).json())
    wanted = {*subject.config.scope.split(), *more.split()}
    require(wanted <= held, f"missing after the merge: {sorted(wanted - held)}")
    subject.refresh_token = tokens.get("refresh_token", "")
    _refresh_is_refused(subject, earlier)


@check(
    "GM-15",
    "5.2",
    "replace keeps grant_id, holds what was consented, kills refresh tokens",
)
def _(subject: Subject) -> None:
    earlier, grant_id = subject.refresh_token, subject.need("grant_id")
    scope = subject.config.scope
    tokens = subject.authorize(grant_management_action="replace", grant_id=grant_id, scope=scope)
    require(tokens.get("grant_id") == grant_id, f"grant_id became {tokens.get('grant_id')}")
    subject.take(tokens)
    held = scopes_of(subject.request().json())
    require(held == set(scope.split()), f"it holds {sorted(held)}")
    _refresh_is_refused(subject, earlier)


# The grant management API


@check("GM-16", "6.6", "a request without an access token is 401, with a challenge")
def _(subject: Subject) -> None:
    response = subject.request(token="")
    status_is(response, 401)
    require(bool(response.challenge), "there is no WWW-Authenticate")


@check("GM-17", "6.6", "an access token that does not exist is 401, invalid_token")
def _(subject: Subject) -> None:
    response = subject.request(token="conformance-no-such-token")  # noqa: S106 - it is none
    status_is(response, 401)
    require("invalid_token" in response.challenge, f"the challenge is {response.challenge!r}")


@check("GM-18", "6.1", "an access token without the scope is 403")
def _(subject: Subject) -> None:
    status_is(subject.request(token=subject.need("weak_access_token")), 403)


@check("GM-19", "6.4", "a query is 200, application/json, and is not stored")
def _(subject: Subject) -> None:
    response = subject.request()
    status_is(response, 200)
    require(response.headers.get_content_type() == "application/json", "it is no JSON")
    require("no-store" in (response.headers["Cache-Control"] or ""), "Cache-Control lacks no-store")


@check("GM-20", "6.4", "scopes are objects with a scope and absolute URIs as resource")
def _(subject: Subject) -> None:
    for entry in _member(subject, "scopes"):
        require(isinstance(entry.get("scope"), str), "an entry has no scope string")
        resources = entry.get("resource", [])
        require(isinstance(resources, list), "resource is no array")
        require(all(urlsplit(one).scheme for one in resources), "a resource is no absolute URI")


@check("GM-21", "6.4", "claims are names")
def _(subject: Subject) -> None:
    require(all(isinstance(one, str) for one in _member(subject, "claims")), "one is no string")


@check("GM-22", "6.4", "authorization_details are objects with a type")
def _(subject: Subject) -> None:
    for entry in _member(subject, "authorization_details"):
        require(isinstance(entry.get("type"), str), "one has no type")


@check("GM-23", "6.4", "times are numbers, and updated_by is client or authorization_server")
def _(subject: Subject) -> None:
    content = subject.request().json()
    times = ("created_at", "expires_at", "last_updated", "last_updated_at")
    for name in times:
        value = content.get(name, 0)
        require(isinstance(value, int | float) and not isinstance(value, bool), f"{name} is none")
    updated_by = content.get("updated_by", "client")
    require(updated_by in ("client", "authorization_server"), f"updated_by is {updated_by!r}")


@check("GM-24", "6", "a query shows no token")
def _(subject: Subject) -> None:
    shown = json.dumps(subject.request().json())
    for token in (subject.need("access_token"), subject.refresh_token):
        require(not token or token not in shown, "a token is in it")


@check("GM-25", "6", "there is no list of grants")
def _(subject: Subject) -> None:
    token = subject.need("access_token")
    response = send("GET", subject.endpoint, token=token, timeout=subject.config.timeout)
    require(response.status >= 400, f"the endpoint itself answers {response.status}")


@check("GM-26", "6.6", "a grant that does not exist is 404")
def _(subject: Subject) -> None:
    status_is(subject.request(grant_id=UNKNOWN), 404)
    status_is(subject.request("DELETE", grant_id=UNKNOWN), 404)


@check("GM-27", "6.6", "a grant of another client is 403, or not told to be there")
def _(subject: Subject) -> None:
    other = subject.need("other_grant_id")
    status_is(subject.request(grant_id=other), 403, 404)
    status_is(subject.request("DELETE", grant_id=other), 403, 404)


@check("GM-28", "6.3 (RFC 9110, 15.5.6)", "another method is 405, with Allow")
def _(subject: Subject) -> None:
    response = subject.request("POST")
    status_is(response, 405)
    require(bool(response.headers["Allow"]), "there is no Allow")


@check("GM-29", "6.5", "a revoke is 204, with nothing in it")
def _(subject: Subject) -> None:
    response = subject.request("DELETE")
    status_is(response, 204)
    require(not response.body, "it has a body")


@check("GM-30", "6.5", "a revoke kills the grant")
def _(subject: Subject) -> None:
    token = subject.need("outliving_access_token")
    status_is(subject.request(token=token), 404)
    status_is(subject.request("DELETE", token=token), 404)


@check("GM-31", "6.5", "a revoke kills the grant's refresh tokens")
def _(subject: Subject) -> None:
    _refresh_is_refused(subject, subject.refresh_token or subject.config.refresh_token)


@check("GM-32", "6.5 (should)", "a revoke kills the grant's access tokens")
def _(subject: Subject) -> None:
    status_is(subject.request(), 401)


def _member(subject: Subject, name: str) -> list[Any]:
    content = subject.request().json()
    require(isinstance(content, dict), "the body is no object")
    if name not in content:
        raise Skip("the grant has none")
    require(isinstance(content[name], list), "it is no array")
    found: list[Any] = content[name]
    return found


def _refresh_is_refused(subject: Subject, refresh_token: str) -> None:
    if not refresh_token:
        raise Skip("no refresh token was issued")
    if not subject.config.token_endpoint:
        raise Skip("no token_endpoint in the config")
    response = subject.config.refresh(refresh_token)
    status_is(response, 400)
    error_is(response.json(), "invalid_grant")
