"""Authorization requests and their token responses: draft §5."""

import re
import secrets

from ..grant import Grant
from ..subject import Subject
from ..suite import Check, declare
from ..verdict import Skip, require
from .expect import content_of, holds, is_refused, refresh_is_refused

CHECKS: list[Check] = []
check = declare(CHECKS)


@check("GM-04", "5.5", "create: the token response has a grant_id")
def _(subject: Subject) -> None:
    scope = subject.config.scope
    answer = subject.authorize(grant_management_action="create", scope=scope)
    subject.grant = Grant.issued(answer)
    subject.created = answer


@check("GM-05", "5.5", "grant_id is URL-safe")
def _(subject: Subject) -> None:
    grant_id = subject.own("grant_id").grant_id
    require(bool(re.fullmatch(r"[A-Za-z0-9\-._~]+", grant_id)), "it has reserved characters")
    # Clients take such a segment out of a URL (RFC 3986 §5.2.4).
    require(grant_id not in (".", ".."), "it is a dot segment")


@check("GM-06", "5.3", "the authorization response has no grant_id")
def _(subject: Subject) -> None:
    subject.given("authorize")
    require(bool(subject.created), "no request was granted: GM-04 failed")
    if "authorization_response" not in subject.created:
        raise Skip("the 'authorize' program does not print authorization_response")
    response = subject.created["authorization_response"]
    require(isinstance(response, dict) and bool(response), "it is no object with members")
    require("error" not in response, "it is an error")
    require("grant_id" not in response, "it has one")


@check("GM-07", "5.2", "create makes another grant beside the first")
def _(subject: Subject) -> None:
    subject.given("authorize")
    first = subject.own()
    second = subject.create()
    require(second.grant_id != first.grant_id, "it is the same grant")
    for grant in (first, second):
        content_of(subject, grant)
    subject.spare = second


@check("GM-08", "5.4", "create with a grant_id is invalid_request")
def _(subject: Subject) -> None:
    grant_id = subject.own().grant_id
    is_refused(subject, "invalid_request", grant_management_action="create", grant_id=grant_id)


@check("GM-09", "5.4", "grant_id without an action is invalid_request")
def _(subject: Subject) -> None:
    is_refused(subject, "invalid_request", grant_id=subject.own().grant_id)


@check("GM-10", "5.4", "an action that does not exist is invalid_request")
def _(subject: Subject) -> None:
    is_refused(subject, "invalid_request", grant_management_action="conformance")


@check("GM-11", "5.4", "merge and replace without a grant_id are invalid_request")
def _(subject: Subject) -> None:
    for action in ("merge", "replace"):
        is_refused(subject, "invalid_request", grant_management_action=action)


@check("GM-12", "5.4", "a grant_id that does not exist is invalid_grant_id")
def _(subject: Subject) -> None:
    _cannot_be_changed(subject, secrets.token_urlsafe(32))


@check("GM-13", "5.4", "a grant_id of another client is invalid_grant_id")
def _(subject: Subject) -> None:
    _cannot_be_changed(subject, subject.given("other_grant_id"))


@check("GM-14", "5.2", "merge keeps grant_id, adds what was consented, kills refresh tokens")
def _(subject: Subject) -> None:
    scope, more = subject.config.scope, subject.config.more_scope
    # A refresh that works before: else one that is refused after would show nothing.
    before = subject.renew(subject.create())
    subject.change("merge", before, more or scope)
    # The new access token may be limited to what was added, so that it cannot query.
    holds(content_of(subject, before), scope, more)
    refresh_is_refused(subject, before.refresh_token)
    subject.given("more_scope")


@check("GM-15", "5.2", "replace keeps grant_id, holds what was consented, kills refresh tokens")
def _(subject: Subject) -> None:
    scope, more = subject.config.scope, subject.config.more_scope
    before = subject.renew(subject.create(f"{scope} {more}".strip()))
    holds(content_of(subject, before), scope, more)
    after = subject.change("replace", before, scope)
    holds(content_of(subject, after), scope)
    refresh_is_refused(subject, before.refresh_token)
    subject.given("more_scope")


def _cannot_be_changed(subject: Subject, grant_id: str) -> None:
    for action in ("merge", "replace"):
        parameters = {"grant_management_action": action, "grant_id": grant_id}
        is_refused(subject, "invalid_grant_id", **parameters)
