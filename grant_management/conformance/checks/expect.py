"""Expectations that several checks share."""

from typing import Any

from ..fields import challenges
from ..grant import Grant
from ..http import Response
from ..server_under_test import ServerUnderTest
from ..verdict import Failure, Skip, require


def status_is(response: Response, *expected: int) -> None:
    """Failure unless the status is one of these."""
    wanted = " or ".join(map(str, expected))
    require(response.status in expected, f"expected HTTP {wanted}, got {response.status}")


def error_is(answer: dict[str, Any], expected: str) -> None:
    """Failure unless the answer has this error, and no access token."""
    got = answer.get("error", "no error")
    require(got == expected, f"expected the error {expected}, got {got}")
    require("access_token" not in answer, "a token was issued beside the error")


def is_refused(server: ServerUnderTest, expected: str, **parameters: str) -> None:
    """Failure unless the answer to an authorization request is this error.

    At a server that refuses every request that would show nothing, so GM-04 must have passed.
    """
    if server.config.authorize:
        require(bool(server.created), "no request at all was granted: GM-04 failed")
    error_is(server.authorize(scope=server.config.scope, **parameters), expected)


def is_shown(server: ServerUnderTest, token: str | None = None) -> None:
    """Failure unless a query shows the grant: else the refusal of another request shows nothing.

    `token` None: the grant's own access token.
    """
    response = server.request(token=token)
    require(response.status == 200, f"a query that must succeed is HTTP {response.status}")


def has_challenge(response: Response, error: str = "") -> None:
    """Failure unless it challenges for an access token (RFC 6750 §3, RFC 9449 §7.1).

    `error` is the error that the challenge must have; "": any, or none.
    """
    found = [one for one in challenges(response) if one.scheme in ("bearer", "dpop")]
    shown = response.field("WWW-Authenticate") or "none"
    require(bool(found), f"there is no challenge for Bearer or DPoP: {shown}")
    if error:
        # A response with a challenge for both schemes may have the error in one (RFC 9449 §7.2).
        errors = {one.parameters["error"] for one in found if "error" in one.parameters}
        require(errors == {error}, f"the challenge's error is not {error}: {shown}")


def content_of(server: ServerUnderTest, grant: Grant | None = None) -> dict[str, Any]:
    """What a query of a grant shows, by default of the grant under test. Failure: no object."""
    grant = grant or server.own()
    response = server.request(grant_id=grant.grant_id, token=grant.access_token)
    status_is(response, 200)
    return response.members()


def objects(value: Any, name: str) -> list[dict[str, Any]]:
    """The value, an array of objects. Failure: it is none; `name` is for the message."""
    entries = array(value, name)
    require(all(isinstance(one, dict) for one in entries), f"an entry of {name} is no object")
    return entries


def array(value: Any, name: str) -> list[Any]:
    """The value, an array. Failure: it is none; `name` is for the message."""
    if not isinstance(value, list):
        raise Failure(f"{name} is no array")
    return value


def scopes_of(content: dict[str, Any]) -> set[str]:
    """The names of all scopes of a grant, whatever their resources. Failure: one has no name."""
    found = set()
    for entry in objects(content.get("scopes", []), "scopes"):
        scope = entry.get("scope")
        if not isinstance(scope, str):
            raise Failure("an entry of scopes has no scope string")
        found |= set(scope.split())
    return found


def holds(content: dict[str, Any], *scopes: str) -> None:
    """Failure unless the grant has exactly the scopes of these space-separated lists."""
    held, wanted = scopes_of(content), {name for scope in scopes for name in scope.split()}
    require(wanted <= held, f"it lacks {sorted(wanted - held)}")
    require(held <= wanted, f"it has {sorted(held - wanted)}, which was not consented to")


def refresh_is_refused(server: ServerUnderTest, refresh_token: str) -> None:
    """Failure unless a refresh is refused with `invalid_grant` (RFC 6749 §5.2).

    Skip: there is no refresh token, or no token endpoint.
    """
    server.given("token_endpoint")
    if not refresh_token:
        raise Skip("no refresh token was issued")
    response = server.refresh(refresh_token)
    require(response.status == 400, f"a refresh: expected HTTP 400, got {response.status}")
    error_is(response.members(), "invalid_grant")
