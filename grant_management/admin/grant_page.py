"""A grant's page: what it holds, its tokens, and what happened to it, newest first."""

from typing import Any, Final

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..models import AccessToken, Grant, RefreshToken
from .grant_timeline import timeline
from .in_words import in_words
from .kit import content
from .kit.display import identifier, link, state
from .kit.token_state import token_state
from .kit.utc import exact_tag
from .related import lists_of, may_view, page_url

NEWEST: Final = 20
"""The most tokens of each kind that the page shows; the lists of tokens show all."""


def grant_page(grant: Grant, request: HttpRequest) -> dict[str, Any]:
    """The template's context for the page of a grant."""
    seen = [model for model in (AccessToken, RefreshToken) if _sees(request, model)]
    kinds = [(model, _tokens(model, grant)) for model in seen]
    status = grant.status(clock.estimate())
    return {
        "grant": grant,
        "status": state(status, status.label),
        "facts": _facts(grant, request),
        "content": in_words(grant.service, content.shown(grant)),
        "sees_tokens": bool(seen),
        "tokens": [_shown_token(token) for _model, tokens in kinds for token in tokens],
        "more_tokens": _lists(grant, request, [model for model, some in kinds if _is_cut(some)]),
        **timeline(grant, request),
    }


def _facts(grant: Grant, request: HttpRequest) -> list[tuple[Any, Any]]:
    return [
        (_("Grant ID"), identifier(grant.grant_id, _("grant ID"))),
        (_("Service"), f"{grant.service} ({grant.service_id})"),
        (_("Client"), _client(grant, request)),
        (_("Subject"), _subject(grant, request)),
        (_("Created"), exact_tag(grant.created_at)),
        (_("Changed"), exact_tag(grant.last_updated_at)),
        (_("Changed by"), grant.get_updated_by_display()),
        (_("Last used"), exact_tag(grant.last_used_at)),
        (_("Expires"), exact_tag(grant.expires_at)),
        (_("Revoked"), exact_tag(grant.revoked_at)),
    ]


def _client(grant: Grant, request: HttpRequest) -> str:
    """The client, with a link to its page for those who may see it."""
    named = f"{grant.client} ({grant.client.client_id})"
    if not may_view(request, "client"):
        return named
    url = page_url(request, "client_change", grant.client_id)
    return link(url, named) if url else named


def _subject(grant: Grant, request: HttpRequest) -> str:
    """The subject, with a link to the person's page."""
    url = page_url(request, "grant_person", grant.pk) if grant.subject else ""
    to_person = link(url, _("everything about this person")) if url else ""
    return format_html("{} {}", identifier(grant.subject), to_person)


def _sees(request: HttpRequest, model: type[AccessToken | RefreshToken]) -> bool:
    return may_view(request, str(model._meta.model_name))


def _is_cut(tokens: list[Any]) -> bool:
    return len(tokens) == NEWEST


def _lists(grant: Grant, request: HttpRequest, models: list[Any]) -> list[tuple[str, Any]]:
    """The URLs of the lists with all tokens of the grant, and what each list has."""
    listed = lists_of(request, grant.service)
    return [
        (listed(model._meta.model_name, q=grant.grant_id), model._meta.verbose_name_plural)
        for model in models
    ]


def _tokens(model: type[AccessToken | RefreshToken], grant: Grant) -> list[Any]:
    """The newest tokens of a kind. All share this grant object, so none reads its own copy."""
    rows = model._default_manager.filter(service=grant.service_id, grant=grant)
    tokens = rows.select_related("client").defer("scopes").order_by("-pk")[:NEWEST]
    for token in tokens:
        token.know(grant.service, token.client, grant)
    return list(tokens)


def _shown_token(token: AccessToken | RefreshToken) -> dict[str, Any]:
    """A token for the template: without its value, and with the start of its digest only."""
    return {
        "kind": token._meta.verbose_name,
        "digest": token.digest_prefix,
        "status": token_state(token),
        "issued_at": exact_tag(token.issued_at),
        "expires_at": exact_tag(token.expires_at),
        "key": identifier(token.jkt, _("key thumbprint")) if token.jkt else "",
        "certificate": identifier(token.x5t_s256, _("certificate thumbprint"))
        if token.x5t_s256
        else "",
    }
