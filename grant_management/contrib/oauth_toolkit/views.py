"""The authorization endpoint, with `grant_management_action` and `grant_id` (draft §5.2)."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.http import HttpRequest, HttpResponse
from oauth2_provider.exceptions import OAuthToolkitError
from oauth2_provider.models import get_application_model
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.views import AuthorizationView
from oauthlib.oauth2.rfc6749.errors import CustomOAuth2Error

from grant_management import lifecycle
from grant_management.contrib.bridge import consent
from grant_management.contrib.bridge.consent import PARAMETERS, Asked
from grant_management.db import primary
from grant_management.db.retry import retried
from grant_management.lifecycle import Authorization, LifecycleError
from grant_management.protocol.results import INVALID_REQUEST

from . import bridge
from .mixins import NeverFramed, describe
from .models import AuthorizedCode

PINNED = "grant_management"
MOST_PINNED = 10
"""Authorization requests that one session remembers, for a user with several open pages."""


class _ConsentNeeded(Exception):
    """The toolkit was about to skip the consent page."""


class GrantAuthorizationView(NeverFramed, AuthorizationView):  # type: ignore[misc]
    """The toolkit's view. A request about a grant is validated and pinned to the session, and never
    skips the consent page.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The consent page, or a redirect with a code or an error."""
        try:
            response: HttpResponse = super().get(request, *args, **kwargs)
        except _ConsentNeeded:
            context = self.get_context_data(**self.oauth2_data)
            response = self.render_to_response(context)
        return response

    def validate_authorization_request(self, request: HttpRequest) -> Any:
        """Validate as the toolkit does, then validate and pin the parameters about the grant.

        OAuthToolkitError: the error that is redirected to the client.
        """
        scopes, credentials = super().validate_authorization_request(request)
        try:
            asked = consent.asked(request.GET)
            self.begun = _begin(request, credentials, asked)
            bridge.consented(scopes, None, None)  # the page shows them
        except LifecycleError as error:
            raise _redirected(error, credentials) from None
        _pin(request, credentials, asked)
        return scopes, credentials

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what the page can say about the grant: `grant_management_action`, `grant_id`, and
        `grant_scopes_descriptions`, all scopes that the grant will hold.
        """
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context |= dict(zip(PARAMETERS, _shown(self.request), strict=True))
        begun: Authorization | None = getattr(self, "begun", None)
        if begun is None or begun.action is None:
            return context
        asked_for = bridge.consented(kwargs.get("scopes") or [], None, None)
        scopes = bridge.scopes_after(begun, asked_for)
        return context | {"grant_scopes_descriptions": describe(scopes)}

    def create_authorization_response(
        self, request: HttpRequest, scopes: str, credentials: dict[str, Any], allow: bool
    ) -> Any:
        """Issue the code and, in one transaction with it, the grant that the user consented to.

        A POST is refused unless its parameters are those that the consent page showed.
        """
        asked = _asked(request, credentials)
        # On a GET the toolkit calls this where it would skip the consent page.
        if request.method == "GET" and any(asked):
            raise _ConsentNeeded
        if request.method == "POST" and asked != _pinned(request, credentials):
            error = LifecycleError(INVALID_REQUEST, "The request is not the one that was shown.")
            raise _redirected(error, credentials)
        parent = super().create_authorization_response

        def answer() -> Any:
            return parent(request=request, scopes=scopes, credentials=credentials, allow=allow)

        if not allow or not any(asked):
            return answer()
        try:
            return _with_grant(answer, request, scopes, credentials, asked)
        except LifecycleError as error:
            raise _redirected(error, credentials) from None


@retried
def _with_grant(
    answer: Callable[[], Any],
    request: HttpRequest,
    scopes: str,
    credentials: dict[str, Any],
    asked: Asked,
) -> Any:
    """Issue the code and the grant, or neither. LifecycleError: the request is refused."""
    with primary.atomic():
        authorization = _begin(request, credentials, asked)
        # Read before the toolkit adds to the credentials.
        asked_for = credentials.get("resource"), credentials.get("claims")
        held = bridge.consented(scopes.split(), *asked_for)
        answered = answer()
        _link(answered[0], authorization, held)
    return answered


def _asked(request: HttpRequest, credentials: dict[str, Any]) -> Asked:
    """What the query asks for about a grant, which the form's POST has too.

    OAuthToolkitError: a parameter comes twice.
    """
    try:
        return consent.asked(request.GET)
    except LifecycleError as error:
        raise _redirected(error, credentials) from None


def _shown(request: HttpRequest) -> Asked:
    """The same, for a page; nothing where a parameter comes twice."""
    with contextlib.suppress(LifecycleError):
        return consent.asked(request.GET)
    return Asked()


def _begin(request: HttpRequest, credentials: dict[str, Any], asked: Asked) -> Authorization:
    consent.check_response_type(asked, credentials.get("response_type") or "")
    application = get_application_model().objects.get(client_id=credentials["client_id"])
    return lifecycle.begin(
        bridge.client(application),
        bridge.subject(request.user),
        *asked,
        confidential=bridge.is_confidential(application),
    )


def _redirected(error: LifecycleError, credentials: dict[str, Any]) -> OAuthToolkitError:
    """The error as a redirect to the client, with its state (draft §5.4)."""
    return OAuthToolkitError(
        error=CustomOAuth2Error(
            error=error.error, description=error.description, state=credentials.get("state")
        ),
        redirect_uri=credentials["redirect_uri"],
    )


def _key(credentials: dict[str, Any]) -> str:
    return bridge.pin_key(
        credentials.get("client_id") or "",
        credentials.get("redirect_uri") or "",
        credentials.get("state") or "",
    )


def _pin(request: HttpRequest, credentials: dict[str, Any], asked: Asked) -> None:
    """Remember the parameters that the page shows; beyond MOST_PINNED the oldest are dropped."""
    pins = dict(request.session.get(PINNED, {}))
    pins.pop(_key(credentials), None)  # so that it becomes the newest
    pins[_key(credentials)] = list(asked)
    request.session[PINNED] = dict(list(pins.items())[-MOST_PINNED:])


def _pinned(request: HttpRequest, credentials: dict[str, Any]) -> tuple[str, ...]:
    return tuple(request.session.get(PINNED, {}).get(_key(credentials), ("", "")))


def _link(uri: str, authorization: Authorization, held: Any) -> None:
    """Complete the grant, and keep it for the token request that will present this code."""
    code = parse_qs(urlsplit(uri).query)["code"][0]
    lifetime = timedelta(seconds=oauth2_settings.AUTHORIZATION_CODE_EXPIRE_SECONDS)
    grant = lifecycle.complete(authorization, held)
    AuthorizedCode.objects.add(authorization.client.service, code, grant, lifetime)
