"""The toolkit's views that issue or introspect a token, or let a user give tokens up."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from oauth2_provider.models import get_device_grant_model
from oauth2_provider.views import (
    AuthorizedTokenDeleteView,
    IntrospectTokenView,
    RPInitiatedLogoutView,
    TokenView,
    UserInfoView,
)

from grant_management.contrib.bridge import deaths
from grant_management.models import AccessToken, Actor
from grant_management.models.event import ActorKind
from grant_management.models.locks import hold_clients
from grant_management.protocol.results import INVALID_GRANT, INVALID_REQUEST
from grant_management.protocol.times import to_seconds

from . import bridge, device, rows
from .presented import GrantManagementCore
from .registered import access_token_lives, access_token_of
from .sender import is_bound


class GrantTokenView(TokenView):  # type: ignore[misc]
    """The toolkit's view, with the errors of RFC 8628 §3.5 for device codes.

    The toolkit answers for an unknown code with 404, for a request without one with 500, for
    an expired one with tokens, and does all that before it authenticates the client. Here the
    validator judges the code, once the client is authenticated.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Tokens, or an error of RFC 6749 §5.2 or RFC 8628 §3.5."""
        is_device = request.POST.get("grant_type") == device.GRANT_TYPE
        if is_device and not request.POST.get("device_code"):
            return JsonResponse(
                {"error": INVALID_REQUEST, "error_description": "device_code is missing."},
                status=400,
            )
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response

    def device_flow_token_response(
        self, request: HttpRequest, device_code: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Answer a token request with a device code as one with an authorization code."""
        try:
            answer: HttpResponse = self.authorization_flow_token_response(request)
        except get_device_grant_model().DoesNotExist:
            # The toolkit reads its row before anything else.
            said = {"error": INVALID_GRANT, "error_description": "The device code is not valid."}
            return JsonResponse(said, status=400)
        return answer


class GrantIntrospectTokenView(IntrospectTokenView):  # type: ignore[misc]
    """The toolkit's view, which looks at its own row only; our row adds the state of the grant, and
    what the token is bound to.
    """

    oauthlib_backend_class = GrantManagementCore

    @staticmethod
    def get_token_response(token_value: str | None = None) -> HttpResponse:
        """`active` is false where the token is dead here; `exp` is no later than its end here."""
        answer: HttpResponse = IntrospectTokenView.get_token_response(token_value)
        told = json.loads(answer.content)
        row = rows.access_token(token_value or "").first() if told.get("active") else None
        if row is None:
            return answer
        if not access_token_lives(row):
            return JsonResponse({"active": False})
        found = access_token_of(row)
        ends = found.ends_at() if found else None
        exp = min([told["exp"], *([to_seconds(ends)] if ends else [])])
        return JsonResponse(told | {"exp": exp} | _bound_to(found))


class GrantTokenDeleteView(AuthorizedTokenDeleteView):  # type: ignore[misc]
    """The toolkit's view; a token that a user gives up dies here too, with one event."""

    def form_valid(self, form: Any) -> Any:
        """Delete the token: the user has confirmed it."""
        with _given_up(self.request.user, [self.object]):
            return super().form_valid(form)


class GrantLogoutView(RPInitiatedLogoutView):  # type: ignore[misc]
    """The toolkit's view, which deletes the tokens of a user who logs out."""

    def do_logout(
        self,
        application: Any = None,
        post_logout_redirect_uri: Any = None,
        state: Any = None,
        token_user: Any = None,
    ) -> Any:
        """Log out as the toolkit does; one event covers all tokens that this deletes."""
        user = token_user or self.request.user
        # A user who is not logged in has no key; tokens without a user are those of clients.
        tokens = rows.access_tokens().filter(user=user.pk).exclude(user=None)
        with _given_up(user, tokens.select_related("application")):
            return super().do_logout(application, post_logout_redirect_uri, state, token_user)


class GrantUserInfoView(UserInfoView):  # type: ignore[misc]
    """The toolkit's view, also for tokens of the DPoP scheme."""

    oauthlib_backend_class = GrantManagementCore


def _bound_to(token: AccessToken | None) -> dict[str, Any]:
    """`cnf` and `token_type` of a bound token (RFC 8705 §3.2, RFC 9449 §6.2); {}: it is not."""
    if token is None or not is_bound(token):
        return {}
    cnf = {"jkt": token.jkt, "x5t#S256": token.x5t_s256}
    told: dict[str, Any] = {"cnf": {name: value for name, value in cnf.items() if value}}
    return told | ({"token_type": "DPoP"} if token.jkt else {})


@contextmanager
def _given_up(user: Any, tokens: Iterable[Any]) -> Iterator[None]:
    """Tokens that a user gives up die as one act, by that user.

    Their clients are locked before the toolkit's rows, so requests that issue tokens to them wait.
    """
    service = bridge.service_if_any()
    named = {token.application.client_id for token in tokens if token.application is not None}
    with deaths.one_act(bridge.SERVER, Actor(ActorKind.SUBJECT, str(user.pk))):
        if service is not None:
            hold_clients(service, bridge.SERVER.known_clients(named))
        yield
