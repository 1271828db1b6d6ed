"""Checks of authorization requests and their token responses (draft §5)."""

import re
import secrets

from ..grant import Grant
from ..server_under_test import ServerUnderTest
from ..suite import Check, declare
from ..verdict import Skip, require
from .expect import content_of, holds, is_refused, refresh_is_refused
from .repairs import REPAIRS

CHECKS: list[Check] = []
check = declare(CHECKS, REPAIRS)


@check("GM-04", "5.5", "create: the token response has a grant_id")
def _(server: ServerUnderTest) -> None:
    scope = server.config.scope
    answer = server.authorize(grant_management_action="create", scope=scope)
    server.grant = Grant.issued(answer)
    server.created = answer


@check("GM-05", "5.5", "grant_id is URL-safe")
def _(server: ServerUnderTest) -> None:
    grant_id = server.own("grant_id").grant_id
    require(bool(re.fullmatch(r"[A-Za-z0-9\-._~]+", grant_id)), "it has reserved characters")
    # Clients remove dot segments from a URL (RFC 3986 §5.2.4).
    require(grant_id not in (".", ".."), "it is a dot segment")


@check("GM-06", "5.3", "the authorization response has no grant_id")
def _(server: ServerUnderTest) -> None:
    server.given("authorize")
    require(bool(server.created), "no request was granted: GM-04 failed")
    if "authorization_response" not in server.created:
        raise Skip("the 'authorize' program does not print authorization_response")
    response = server.created["authorization_response"]
    require(isinstance(response, dict) and bool(response), "it is no object with members")
    require("error" not in response, "it is an error")
    require("grant_id" not in response, "it has one")


@check("GM-07", "5.2", "create makes another grant beside the first")
def _(server: ServerUnderTest) -> None:
    server.given("authorize")
    first = server.own()
    second = server.create()
    require(second.grant_id != first.grant_id, "it is the same grant")
    for grant in (first, second):
        content_of(server, grant)
    server.spare = second


@check("GM-08", "5.4", "create with a grant_id is invalid_request")
def _(server: ServerUnderTest) -> None:
    grant_id = server.own().grant_id
    is_refused(server, "invalid_request", grant_management_action="create", grant_id=grant_id)


@check("GM-09", "5.4", "grant_id without an action is invalid_request")
def _(server: ServerUnderTest) -> None:
    is_refused(server, "invalid_request", grant_id=server.own().grant_id)


@check("GM-10", "5.4", "an action that does not exist is invalid_request")
def _(server: ServerUnderTest) -> None:
    is_refused(server, "invalid_request", grant_management_action="conformance")


@check("GM-11", "5.4", "merge and replace without a grant_id are invalid_request")
def _(server: ServerUnderTest) -> None:
    for action in ("merge", "replace"):
        is_refused(server, "invalid_request", grant_management_action=action)


@check("GM-12", "5.4", "a grant_id that does not exist is invalid_grant_id")
def _(server: ServerUnderTest) -> None:
    _cannot_be_changed(server, secrets.token_urlsafe(32))


@check("GM-13", "5.4", "a grant_id of another client is invalid_grant_id")
def _(server: ServerUnderTest) -> None:
    _cannot_be_changed(server, server.given("other_grant_id"))


@check("GM-14", "5.2", "merge keeps grant_id, adds what was consented, kills refresh tokens")
def _(server: ServerUnderTest) -> None:
    scope, more = server.config.scope, server.config.more_scope
    # The refresh token must work before the merge: else its refusal afterwards shows nothing.
    before = server.renew(server.create())
    server.change("merge", before, more or scope)
    # The query uses the old access token: the new one may be limited to the added scopes.
    holds(content_of(server, before), scope, more)
    refresh_is_refused(server, before.refresh_token)
    # Without more_scope nothing was added: the check is skipped, but only once the rest has held.
    server.given("more_scope")


@check("GM-15", "5.2", "replace keeps grant_id, holds what was consented, kills refresh tokens")
def _(server: ServerUnderTest) -> None:
    scope, more = server.config.scope, server.config.more_scope
    before = server.renew(server.create(f"{scope} {more}".strip()))
    holds(content_of(server, before), scope, more)
    after = server.change("replace", before, scope)
    holds(content_of(server, after), scope)
    refresh_is_refused(server, before.refresh_token)
    server.given("more_scope")


def _cannot_be_changed(server: ServerUnderTest, grant_id: str) -> None:
    for action in ("merge", "replace"):
        parameters = {"grant_management_action": action, "grant_id": grant_id}
        is_refused(server, "invalid_grant_id", **parameters)
