"""`client/authorization/{get/list,delete}` and `client/granted_scopes/{get,delete}`.

The grants of this store are what Authlete calls authorizations and granted scopes. Published SDKs
send the subject in the path, the query or the body; all of these are taken.
"""

from typing import Any, Final

from django.db.models import Q, QuerySet

from ...db import primary
from ...db.retry import retried
from ...fields import members as m
from ...fields.reading import read_one
from ...models import AccessToken, Client, Grant, GrantStatus, Reason, RefreshToken
from ...models.grant import GrantQuerySet
from ...models.locks import hold_clients
from ...models.token_revocation import revoke_tokens
from ...protocol import times
from ...protocol.results import Refused, Result
from ..store.answer import Answer, compact, done
from ..store.request import StoreRequest
from .clients import find, show
from .paging import PAGE, cut, refuse_developer

SUBJECT: Final = (m.SUBJECT,)
LIST: Final = (m.SUBJECT, m.DEVELOPER, *PAGE)
BY_API: Final = Reason("requested through the API")
NEWEST: Final = 1_000
"""Grants of one client and subject whose scopes are read; also those that are revoked at a time."""


def list_clients(request: StoreRequest, *, subject: str = "") -> Answer:
    """A page of the clients that the subject's grants and tokens work for, by client ID."""
    refuse_developer(request.values)
    who = _subject(request, subject)
    rows = Client.objects.filter(_authorized(request, who), service=request.service)
    page = cut(rows.filter(deleted_at=None).order_by("client_id"), request.values)
    return {"subject": who, **page.shown, "clients": [show(client) for client in page.rows]}


def delete_authorization(request: StoreRequest, *, client: str, subject: str = "") -> Answer:
    """Revoke every grant and every token of the client and the subject."""
    found, who = find(request.service, client), _subject(request, subject)
    _end(request, found, who, tokens=True)
    return done(_about(request, found, who))


def get_scopes(request: StoreRequest, *, client: str, subject: str = "") -> Answer:
    """The scopes of the active grants of the client and the subject: all, and the newest grant's.

    Only the newest 1,000 grants are read.
    """
    found, who = find(request.service, client), _subject(request, subject)
    rows = _grants(found, who).with_status(GrantStatus.ACTIVE, request.now)
    grants = list(rows.with_content("scopes").order_by("-created_at", "-pk")[:NEWEST])
    answer = _about(request, found, who)
    if grants:
        newest = max(grants, key=lambda one: one.last_updated_at or one.created_at)
        merged = set().union(*(one.scope_names() for one in grants))
        answer |= {
            "latestGrantedScopes": sorted(newest.scope_names()),
            "mergedGrantedScopes": sorted(merged),
            "modifiedAt": times.to_milliseconds(newest.last_updated_at or newest.created_at),
        }
    return done(answer)


def delete_scopes(request: StoreRequest, *, client: str, subject: str = "") -> Answer:
    """Revoke every grant of the client and the subject, each by the rules of a revoke.

    Tokens that belong to no grant stay.
    """
    found, who = find(request.service, client), _subject(request, subject)
    _end(request, found, who, tokens=False)
    return done({})


@retried
def _end(request: StoreRequest, client: Client, subject: str, *, tokens: bool) -> None:
    """Revoke the grants, and where asked for the `tokens`, in one transaction."""
    service = request.service
    with primary.atomic():
        hold_clients(service, [client.pk])  # before any grant: the order of all locks
        rows = _grants(client, subject).filter(revoked_at=None)
        while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:NEWEST]):
            Grant.objects.revoke_all(service, keys, None, request.caller, BY_API)
        if tokens:
            about = {"client_id": client.client_id, "subject": subject}
            kinds: list[Any] = [
                model._default_manager.filter(service=service, client=client, subject=subject)
                for model in (AccessToken, RefreshToken)
            ]
            revoke_tokens(service, kinds, request.caller, **about)


def _authorized(request: StoreRequest, subject: str) -> Q:
    """The clients that have an active grant of the subject, or a token that works."""
    service, now = request.service, request.now
    grants = Grant.objects.filter(service=service, subject=subject)
    rows: list[QuerySet[Any]] = [grants.with_status(GrantStatus.ACTIVE, now)]
    for model in (AccessToken, RefreshToken):
        rows.append(model.objects.filter(service=service, subject=subject).alive(now))
    held = Q()
    for one in rows:
        held |= Q(pk__in=one.order_by().values("client_id"))
    return held


def _grants(client: Client, subject: str) -> GrantQuerySet:
    return Grant.objects.filter(service=client.service, client=client, subject=subject)


def _about(request: StoreRequest, client: Client, subject: str) -> Answer:
    return compact({"serviceApiKey": request.service.pk, "clientId": client.pk, "subject": subject})


def _subject(request: StoreRequest, in_path: str) -> str:
    """The subject. Refused: there is none, or the path and the members name two."""
    named = {read_one(m.SUBJECT, in_path)} if in_path else set()
    if "subject" in request.values:
        named.add(request.values["subject"])
    if len(named) != 1:
        raise Refused(Result.BODY_UNREADABLE, "one 'subject' is needed.")
    subject: str = named.pop()
    return subject
