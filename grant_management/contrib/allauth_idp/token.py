"""The token endpoint: the tokens that allauth issues are registered here, in one transaction."""

import contextlib
from collections.abc import Iterable
from typing import Any

from allauth.idp.oidc.views import TokenView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse

from grant_management import lifecycle
from grant_management.contrib.bridge import deaths
from grant_management.contrib.bridge.consent import INVALID_TARGET
from grant_management.db import primary
from grant_management.db.retry import retried
from grant_management.lifecycle import LifecycleError
from grant_management.models import RefreshToken
from grant_management.models.locks import hold_token
from grant_management.protocol.results import INVALID_GRANT

from . import answers, family, registration, rows
from .answers import RolledBack


class GrantTokenView(TokenView):  # type: ignore[misc]
    """allauth's view. A code gives tokens once, and a refresh token only while it is alive here."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """The tokens, with `grant_id`, or an error of RFC 6749 §5.2."""
        try:
            return self._issued(request)
        except RolledBack as rolled_back:
            answer = rolled_back.answer
        except LifecycleError as error:
            answer = answers.error(error)
        except ValidationError:  # allauth raises this for a `resource` (RFC 8707 §2)
            answer = answers.error(LifecycleError(INVALID_TARGET, "The resource is not valid."))
        if answers.members(answer).get("error") == INVALID_GRANT:
            report_reuse(request)
        return answer

    @retried
    def _issued(self, request: HttpRequest) -> HttpResponse:
        """Write allauth's rows and ours, or none.

        Tokens that allauth removes to make room for the new ones die here without an event; the
        refresh token is rotated instead. RolledBack: allauth refuses the request.
        """
        with primary.atomic(), deaths.collected(rows.SERVER) as dying:
            presented = registration.hold(request.POST)
            answer: HttpResponse = super().post(request)
            if answer.status_code != 200:
                raise RolledBack(answer)
            members = answers.members(answer)
            registration.register(members, presented)
            dying.forget(RefreshToken)
            dying.happen(told=False)
        return _with(answer, members)


def report_reuse(request: HttpRequest) -> None:
    """Kill the family of a rotated refresh token that its own client presented again.

    Nobody can tell the thief from the client (RFC 9700 §4.14.2). This runs after the refusal, in a
    transaction of its own, so that it stays.
    """
    value = request.POST.get("refresh_token", "")
    is_refresh = request.POST.get("grant_type") == "refresh_token"
    old = rows.SERVER.refresh_token(value) if is_refresh else None
    if old is None or old.rotated_at is None:
        return
    if answers.named_clients(request) == {old.client.client_id}:
        with contextlib.suppress(RefreshToken.DoesNotExist):  # purged
            _reported(old)


@retried
def _reported(old: RefreshToken) -> None:
    with primary.atomic(), deaths.collected(rows.SERVER) as dying:
        held, now = hold_token(old)
        family_lives = any(one.status(now) in deaths.ALIVE for one in _relatives(held))
        lifecycle.report_reuse(held)
        if family_lives:  # after a merge its access tokens stay, and its refresh tokens are dead
            family.end(held, dying)
            dying.happen(told=False)


def _relatives(token: RefreshToken) -> Iterable[RefreshToken]:
    return token.relatives().select_related("service", "client", "grant")


def _with(answer: HttpResponse, members: dict[str, Any]) -> HttpResponse:
    """The answer of allauth with these members, and its own headers."""
    told = JsonResponse(members, status=answer.status_code)
    for name, value in answer.headers.items():
        if name.lower() != "content-length":
            told.headers.setdefault(name, value)
    return told
