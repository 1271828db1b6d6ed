"""Checks of the revoke of the grant, and of its effects (draft §6.5)."""

from collections.abc import Callable

from ..server_under_test import ServerUnderTest
from ..suite import Check, declare
from ..verdict import require
from .expect import is_shown, refresh_is_refused, status_is
from .repairs import REPAIRS

CHECKS: list[Check] = []
check = declare(CHECKS, REPAIRS)


@check("GM-29", "6.5", "a revoke is 204 with an empty body")
def _(server: ServerUnderTest) -> None:
    if server.config.authorize:
        # A new grant: at some servers a dead refresh token kills its grant when it is presented,
        # and earlier checks presented some.
        server.grant = server.create()
    server.before_revoke = _what_is_wrong(server)
    response = server.request("DELETE")
    server.revoked = response.status in range(200, 300)
    status_is(response, 204)
    length = response.headers["Content-Length"]
    require(length in (None, "0"), f"its Content-Length is {length}")
    require("Transfer-Encoding" not in response.headers, "it has a Transfer-Encoding")
    require(not response.body, "it has a body")


@check("GM-30", "6.5", "a revoke kills the grant")
def _(server: ServerUnderTest) -> None:
    token = server.given("outliving_access_token")
    _was_revoked(server, "GM-30")
    status_is(server.request(token=token), 404)
    status_is(server.request("DELETE", token=token), 404)


@check("GM-31", "6.5", "a revoke kills the grant's refresh tokens")
def _(server: ServerUnderTest) -> None:
    server.given("token_endpoint")
    if not server.config.authorize:
        server.given("refresh_token")
    _was_revoked(server, "GM-31")
    refresh_is_refused(server, server.grant.refresh_token)


@check("GM-32", "6.5 (should)", "a revoke kills the grant's access tokens")
def _(server: ServerUnderTest) -> None:
    _was_revoked(server, "GM-32")
    status_is(server.request(), 401)


def _renew(server: ServerUnderTest) -> None:
    server.grant = server.renew(server.grant)


def _outliving_token_works(server: ServerUnderTest) -> None:
    if server.config.outliving_access_token:
        is_shown(server, server.config.outliving_access_token)


# What must work before the revoke, by the check that expects it to fail after the revoke. GM-31 is
# first, since its refresh renews the access token that GM-32 uses.
_CONTROLS: dict[str, Callable[[ServerUnderTest], None]] = {
    "GM-31": _renew,
    "GM-30": _outliving_token_works,
    "GM-32": is_shown,
}


def _what_is_wrong(server: ServerUnderTest) -> dict[str, Exception]:
    problems: dict[str, Exception] = {}
    for number, control in _CONTROLS.items():
        try:
            control(server)
        except Exception as error:  # noqa: BLE001 - raised by the check that it concerns
            problems[number] = error
    return problems


def _was_revoked(server: ServerUnderTest, number: str) -> None:
    """Failure unless the revoke was acknowledged, and this check's control passed before it."""
    server.own()
    server.endpoint()
    require(server.revoked, "the revoke was not acknowledged: GM-29 failed")
    if number in server.before_revoke:
        raise server.before_revoke[number]
