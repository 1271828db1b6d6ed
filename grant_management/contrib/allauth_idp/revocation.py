"""The revocation endpoint and the logout: what allauth ends is one act here."""

from collections.abc import Callable
from typing import Any

from allauth.idp.oidc.models import Client as AllauthClient
from allauth.idp.oidc.views import LogoutView, RevokeView
from django.http import HttpRequest, HttpResponse

from grant_management.contrib.bridge import deaths
from grant_management.db import primary
from grant_management.db.retry import retried
from grant_management.models import AccessToken, Actor, Client, RefreshToken
from grant_management.models.event import ActorKind
from grant_management.models.locks import hold_clients
from grant_management.protocol.digests import sha256

from . import answers, family, rows
from .answers import RolledBack
from .rows import SERVER


class GrantRevokeView(RevokeView):  # type: ignore[misc]
    """allauth's view, for the client's own tokens alone; a refresh token takes its family along.

    allauth would let any client revoke any token (RFC 7009 §2.1 does not). The client may be
    refreshing at this moment: the lock makes the revocation wait for that.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Revoke the token, as one event."""
        try:
            return self._revoked(request, request.POST.get("token", ""))
        except RolledBack as rolled_back:
            return rolled_back.answer

    @retried
    def _revoked(self, request: HttpRequest, value: str) -> HttpResponse:
        ours, service = _registered(value), SERVER.service_if_any()
        theirs = rows.tokens().by_value(value)
        owners = set(theirs.values_list("client", flat=True))
        owners |= {ours.client.client_id} if ours is not None else set()
        actor = Actor.client(ours.client.client_id) if ours is not None else SERVER.actor
        with deaths.one_act(SERVER, actor) as dying:
            if ours is not None and service is not None:
                hold_clients(service, [ours.client.pk])
            answer: HttpResponse = super().post(request)
            if answer.status_code != 200 or answers.named_clients(request) != owners:
                raise RolledBack(answer)
            theirs.delete()  # whatever hint the client gave (RFC 7009 §2.1)
            _end(ours, dying)
        return answer


class GrantLogoutView(LogoutView):  # type: ignore[misc]
    """allauth's view, which deletes the tokens that a client has of a user who logs out."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page that asks, or the logout where there is nothing to ask."""
        return _given_up(request, super().get)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The logout."""
        parent = super().post
        return _given_up(request, lambda sent: parent(sent, *args, **kwargs))


def _given_up(request: HttpRequest, answer: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    """Tokens that a user gives up die as one act, by that user.

    Their clients are locked before allauth's rows, so requests that issue tokens to them wait.
    """
    service = SERVER.service_if_any()
    if service is None or not request.user.is_authenticated:
        return answer(request)
    key = request.user.pk  # gone after the logout
    with deaths.one_act(SERVER, Actor(ActorKind.SUBJECT, str(key))):
        theirs = AllauthClient.objects.using(primary.alias()).filter(token__user=key)
        ids = list(theirs.values_list("pk", flat=True).distinct())
        known = Client.objects.filter(service=service, client_id__in=ids)
        hold_clients(service, known.values_list("pk", flat=True))
        return answer(request)


def _registered(value: str) -> AccessToken | RefreshToken | None:
    """Our row of a token of either kind; None: it is unknown here."""
    found = (SERVER.registered(model, sha256(value)) for model in (RefreshToken, AccessToken))
    return next((one for one in found if one is not None), None)


def _end(ours: AccessToken | RefreshToken | None, dying: deaths.Deaths) -> None:
    if isinstance(ours, RefreshToken):
        family.end(ours, dying)
    elif ours is not None:
        dying.add(AccessToken, bytes(ours.digest))
