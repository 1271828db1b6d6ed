"""The userinfo endpoint: allauth asks no hook there, so the token is judged before allauth."""

from collections.abc import Callable
from typing import Any

from allauth.idp.oidc.views import UserInfoView
from django.http import HttpRequest, HttpResponse

from .registered import access_token_lives

CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"', "Cache-Control": "no-store"}


class GrantUserInfoView(UserInfoView):  # type: ignore[misc]
    """allauth's view, which looks at its own row only; our row adds the state of the grant."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The claims, or 401 where the token is dead here."""
        return _judged(request, super().get)

    def post(self, request: HttpRequest) -> HttpResponse:
        """As `get`."""
        return _judged(request, super().post)


def _judged(request: HttpRequest, answer: Callable[[HttpRequest], Any]) -> HttpResponse:
    """Refuse a request that has a dead token, wherever it has it (RFC 6750 §2)."""
    _, *presented = request.headers.get("Authorization", "").split() or [""]
    presented += request.POST.getlist("access_token") + request.GET.getlist("access_token")
    if not all(map(access_token_lives, presented)):
        return HttpResponse(status=401, headers=CHALLENGE)
    response: HttpResponse = answer(request)
    return response
