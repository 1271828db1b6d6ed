"""The protection of a view by the toolkit's tokens, bound ones too (RFC 6750, RFC 8705, RFC 9449).

The toolkit's own decorators use its own validator unless they are told otherwise; that one knows
nothing of bindings, locks and cut-offs.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from oauth2_provider.settings import oauth2_settings

from grant_management.protocol.results import INSUFFICIENT_SCOPE, printable

from .presented import GrantManagementCore

View = Callable[..., HttpResponse]


def protected_resource(scopes: Iterable[str] = ()) -> Callable[[View], View]:
    """Let a view be reached only with a token of these scopes, by whoever may use it.

    The view gets `request.resource_owner`, the user, None for a client's own token. Others get 401,
    or 403 where a scope is missing, with the challenge, and `DPoP-Nonce` where a nonce is needed.
    """
    needed = list(scopes)

    def decorator(view: View) -> View:
        @wraps(view)
        def protected(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            valid, asked = _core().verify_request(request, scopes=needed)
            if not valid:
                return _refused(asked, needed)
            request.resource_owner = asked.user  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        return protected

    return decorator


def _core() -> GrantManagementCore:
    validator = oauth2_settings.OAUTH2_VALIDATOR_CLASS()
    server = oauth2_settings.OAUTH2_SERVER_CLASS(validator, **oauth2_settings.server_kwargs)
    return GrantManagementCore(server)


def _refused(asked: Any, scopes: list[str]) -> HttpResponse:
    """`asked` is oauthlib's request; None: the toolkit refused the request as it is."""
    unusable = getattr(asked, "grant_management_unusable", None)
    error = (getattr(asked, "oauth2_error", None) or {}).get("error")
    response = HttpResponse(status=403 if error == INSUFFICIENT_SCOPE else 401)
    challenge = f'Bearer error="{printable(error)}"' if error else "Bearer"
    if error == INSUFFICIENT_SCOPE:
        challenge += f', scope="{printable(" ".join(scopes))}"'
    response["WWW-Authenticate"] = unusable.challenge if unusable else challenge
    if unusable is not None and unusable.nonce:
        response["DPoP-Nonce"] = unusable.nonce
    return response
