"""The authorization endpoint, with `grant_management_action` and `grant_id` (draft §5.2)."""

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import Any, Final

from allauth.idp.oidc import app_settings
from allauth.idp.oidc.forms import AuthorizationForm
from allauth.idp.oidc.views import AuthorizationView
from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from grant_management import lifecycle
from grant_management.contrib.bridge import consent
from grant_management.contrib.bridge.consent import PARAMETERS, Asked
from grant_management.contrib.bridge.server import subject
from grant_management.db import primary
from grant_management.db.retry import retried
from grant_management.lifecycle import Authorization, LifecycleError
from grant_management.protocol import strict_json

from . import pinned, registration, rows
from .answers import error_redirect, redirected
from .explanation import explained
from .models import IssuedCode

CONSENT_REQUIRED: Final = "consent_required"  # OpenID Connect Core §3.1.2.6


class GrantAuthorizationForm(AuthorizationForm):  # type: ignore[misc]
    """allauth's form, with a field that brings back what allauth's own does not."""

    grant_management = forms.CharField(widget=forms.HiddenInput, required=False)


class GrantAuthorizationView(AuthorizationView):  # type: ignore[misc]
    """allauth's view. A request about a grant is validated before the user is asked, is pinned to
    the page, and never skips the page. Each code is kept here with its grant.
    """

    form_class = GrantAuthorizationForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The consent page, or a redirect with a code or an error.

        BadRequest: a `claims` parameter that allauth would fail on.
        """
        _check_claims(request.GET.get("claims"))
        parent = super().get
        return self._answered(lambda: self._silent(lambda: parent(request, *args, **kwargs)))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The redirect with a code or an error, once the user has decided."""
        parent = super().post
        return self._answered(lambda: parent(request, *args, **kwargs))

    @cached_property
    def shown(self) -> pinned.Request:
        """The authorization request that the page shows. PermissionDenied: see `pinned`."""
        is_form = self.request.method == "POST"
        return pinned.of_form(self.request) if is_form else pinned.of_query(self.request)

    def get_initial(self) -> dict[str, Any]:
        """Add the signed field. allauth has validated the request when it asks for this.

        LifecycleError: the request about a grant is refused.
        """
        self._begin()
        initial: dict[str, Any] = super().get_initial()
        field = pinned.pin(self.shown, initial["request"], self.request)
        return initial | {pinned.FIELD: field}

    def get_form(self, form_class: Any = None) -> Any:
        """The form says what happens to the grant, also in a template that knows nothing of it."""
        form = super().get_form(form_class)
        form.fields["scopes"].help_text = explained(self._begin(), self.shown)
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add `grant_management_action` and `grant_id`, for a template that says more."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | dict(zip(PARAMETERS, self._asked(), strict=True))

    def form_valid(self, form: Any) -> HttpResponse:
        """Issue the code, and the grant that the user consented to, in one transaction."""
        # On a GET allauth calls this where the client may skip the consent page.
        if self.request.method == "GET" and any(self._asked()):
            page: HttpResponse = self.render_to_response(self.get_context_data())
            return page
        parent = super().form_valid
        return self._issued(lambda: parent(form), form.cleaned_data["scopes"])

    def _answered(self, answer: Callable[[], HttpResponse]) -> HttpResponse:
        """The answer, which no page may frame (RFC 9700 §4.16), or the error for the client."""
        try:
            response = answer()
        except LifecycleError as error:
            response = error_redirect(error, self.shown)
        response.headers.setdefault("Content-Security-Policy", "frame-ancestors 'none'")
        return response

    def _silent(self, answer: Callable[[], HttpResponse]) -> HttpResponse:
        """Answer a GET. With `prompt=none` allauth issues a code without asking `form_valid`."""
        if "none" not in self.request.GET.get("prompt", ""):
            return answer()
        with primary.atomic():
            response = answer()
            if any(redirected(response)):
                if any(self._asked()):
                    message = "What happens to a grant needs the user's consent."
                    raise LifecycleError(CONSENT_REQUIRED, message)
                self._keep(response, self._begin(), [])
        return response

    @retried
    def _issued(self, answer: Callable[[], HttpResponse], scopes: list[str]) -> HttpResponse:
        """Issue the code and the grant, or neither. LifecycleError: the request is refused."""
        with primary.atomic():
            authorization = self._begin()
            response = answer()
            self._keep(response, authorization, scopes)
        return response

    def _asked(self) -> Asked:
        return consent.asked(self.shown)

    def _begin(self) -> Authorization:
        client = rows.client(self.shown["client_id"])
        consent.check_response_type(self._asked(), self.shown["response_type"])
        consent.check_resources(self._asked(), self.shown.getlist("resource"))
        if client is None:  # known by its metadata document alone (CIMD)
            raise LifecycleError("unauthorized_client", "The client is not registered here.")
        return lifecycle.begin(
            rows.our_client(client),
            subject(self.request.user),
            *self._asked(),
            confidential=rows.is_confidential(client),
        )

    def _keep(self, answer: HttpResponse, by: Authorization, scopes: list[str]) -> None:
        """Complete the grant, and keep it for the token request that will present the code."""
        issued = redirected(answer)
        if issued.token is not None:
            registration.register(issued.token)
        if not issued.codes:
            return
        grant, shown = None, self.shown
        if by.action is not None:
            # allauth refuses the claims parameter of OpenID Connect, or does not look at it.
            held = consent.consented(scopes, shown.getlist("resource"), None)
            grant = lifecycle.complete(by, held)
        lifetime = timedelta(seconds=app_settings.AUTHORIZATION_CODE_EXPIRES_IN)
        for code in issued.codes:
            IssuedCode.objects.add(by.client.service, code, grant, lifetime)


def _check_claims(claims: str | None) -> None:
    try:
        is_object = claims is None or isinstance(strict_json.loads(claims), dict)
    except ValueError:
        is_object = False
    if not is_object:  # the redirect URI is not validated yet, so this is not for the client
        raise BadRequest
