"""The revoke of the grant, and what it leaves: draft §6.5."""

from collections.abc import Callable

from ..subject import Subject
from ..suite import Check, declare
from ..verdict import require
from .expect import is_shown, refresh_is_refused, status_is

CHECKS: list[Check] = []
check = declare(CHECKS)


@check("GM-29", "6.5", "a revoke is 204, with nothing in it")
def _(subject: Subject) -> None:
    if subject.config.authorize:
        # A grant whose dead refresh tokens nobody presented: that alone kills it at some servers.
        subject.grant = subject.create()
    subject.before_revoke = _what_is_wrong(subject)
    response = subject.request("DELETE")
    subject.revoked = response.status in range(200, 300)
    status_is(response, 204)
    length = response.headers["Content-Length"]
    require(length in (None, "0"), f"its Content-Length is {length}")
    require("Transfer-Encoding" not in response.headers, "it has a Transfer-Encoding")
    require(not response.body, "it has a body")


@check("GM-30", "6.5", "a revoke kills the grant")
def _(subject: Subject) -> None:
    token = subject.given("outliving_access_token")
    _was_revoked(subject, "GM-30")
    status_is(subject.request(token=token), 404)
    status_is(subject.request("DELETE", token=token), 404)


@check("GM-31", "6.5", "a revoke kills the grant's refresh tokens")
def _(subject: Subject) -> None:
    subject.given("token_endpoint")
    if not subject.config.authorize:
        subject.given("refresh_token")
    _was_revoked(subject, "GM-31")
    refresh_is_refused(subject, subject.grant.refresh_token)


@check("GM-32", "6.5 (should)", "a revoke kills the grant's access tokens")
def _(subject: Subject) -> None:
    _was_revoked(subject, "GM-32")
    status_is(subject.request(), 401)


def _renew(subject: Subject) -> None:
    subject.grant = subject.renew(subject.grant)


def _outliving_token_works(subject: Subject) -> None:
    if subject.config.outliving_access_token:
        is_shown(subject, subject.config.outliving_access_token)


# What must work as long as the grant lives, by the check that sees it fail afterwards.
_CONTROLS: dict[str, Callable[[Subject], None]] = {
    "GM-31": _renew,
    "GM-30": _outliving_token_works,
    "GM-32": is_shown,
}


def _what_is_wrong(subject: Subject) -> dict[str, Exception]:
    problems: dict[str, Exception] = {}
    for number, control in _CONTROLS.items():
        try:
            control(subject)
        except Exception as error:  # noqa: BLE001 - raised by the check that it concerns
            problems[number] = error
    return problems


def _was_revoked(subject: Subject, number: str) -> None:
    """Failure unless the revoke was acknowledged, and this check's control held before it."""
    subject.own()
    subject.endpoint()
    require(subject.revoked, "the revoke was not acknowledged: GM-29 failed")
    if number in subject.before_revoke:
        raise subject.before_revoke[number]
