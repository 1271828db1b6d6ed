"""What allauth answers, and how a request is refused in its place."""

import base64
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from oauthlib.common import add_params_to_uri

from grant_management.lifecycle import LifecycleError
from grant_management.protocol import strict_json

from .pinned import Request

TOKEN_MEMBERS: Final = ("access_token", "expires_in")


class RolledBack(Exception):
    """Nothing that allauth wrote for its answer may stay."""

    def __init__(self, answer: HttpResponse) -> None:
        self.answer = answer


class Redirected(NamedTuple):
    """The codes and the access token that a redirect hands out; none: it is another answer."""

    codes: list[str]
    token: dict[str, Any] | None


def redirected(answer: HttpResponse) -> Redirected:
    """What an answer of the authorization endpoint hands out (RFC 6749 §4.1.2, §4.2.2)."""
    url = urlsplit(answer.headers.get("Location", ""))
    found = {**parse_qs(url.query), **parse_qs(url.fragment)}
    if "error" in found:
        return Redirected([], None)
    token: dict[str, Any] = {name: found[name][-1] for name in TOKEN_MEMBERS if name in found}
    return Redirected(found.get("code", []), token if "access_token" in token else None)


def members(answer: HttpResponse) -> dict[str, Any]:
    """The members of a JSON answer; {}: it is none."""
    try:
        read = strict_json.loads(answer.content)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def error(refusal: LifecycleError, status: int = 400) -> JsonResponse:
    """The error response of a token endpoint (RFC 6749 §5.2)."""
    told = {"error": refusal.error, "error_description": refusal.description}
    return JsonResponse(told, status=status, headers={"Cache-Control": "no-store"})


def error_redirect(refusal: LifecycleError, request: Request) -> HttpResponse:
    """The error as a redirect to the client, with its state (draft §5.4).

    `request` is an authorization request whose redirect URI was validated.
    """
    told = [("error", refusal.error), ("error_description", refusal.description)]
    if request["state"]:
        told.append(("state", request["state"]))
    in_fragment = request["response_type"] != "code"  # as the answer would be
    url = add_params_to_uri(request["redirect_uri"], told, fragment=in_fragment)
    # A client may have a scheme of its own, which Django's redirects refuse.
    return HttpResponse(status=302, headers={"Location": url})


def named_clients(request: HttpRequest) -> set[str]:
    """All client IDs that a request names, by HTTP Basic and as a parameter (RFC 6749 §2.3.1).

    Where it names one alone, and allauth accepted its authentication, that client sent it.
    """
    named = {*request.POST.getlist("client_id"), *request.GET.getlist("client_id")}
    return named | basic_client(request.headers.get("Authorization", ""))


def basic_client(header: str) -> set[str]:
    """The client ID of an Authorization header; empty: it has none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return set()
    try:
        decoded = base64.b64decode(encoded).decode()
    except ValueError:
        return set()
    return {decoded.partition(":")[0]} - {""}
