"""Tokens: their kind and the first 8 characters of their digest, never their value."""

from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..db.keyset import Rows
from ..models import AccessToken, Grant, RefreshToken
from ..models.grant import CONTENT
from ..models.token import Token
from .kit.display import identifier
from .kit.listing import Column, ListAdmin, StoredLaterForm, fields, moment, text
from .kit.token_state import token_state

T = TypeVar("T", bound=Token)


class TokenListForm(StoredLaterForm):
    """Filters: service, grant ID and the time of issue."""

    moment_field = "issued_at"
    searches = _("Grant ID")

    def narrow(self, rows: Rows) -> Rows:
        """The tokens of the grants with this grant ID, of those that are not too old."""
        rows, term = super().narrow(rows), self.cleaned_data.get("q")
        if not term:
            return rows
        known = Grant.objects.filter(service__in=self.chosen(), grant_id=term)
        return rows.filter(grant__in=list(known.values_list("pk", flat=True)))


def _status_name(token: Token) -> str:
    return token.status(clock.estimate()).name.lower()


def _client_id(token: Token) -> str:
    return str(token.client.client_id)


def _bound_to(token: Token) -> str:
    what = _("key thumbprint") if token.jkt else _("certificate thumbprint")
    return identifier(token.jkt or token.x5t_s256, what)


def _grant_id(token: Token) -> str:
    return token.grant.grant_id if token.grant else ""


def _grant(token: Token) -> str:
    return identifier(_grant_id(token) or None, _("grant ID"))


class TokenAdmin(ListAdmin[T]):
    """Tokens of one kind, shown by the first 8 characters of their digests."""

    list_form = TokenListForm
    related = ("service", "client", "grant", "grant__service", "grant__client")
    large = ("scopes", *(f"grant__{name}" for name in CONTENT))
    columns = (
        Column(
            _("Digest"),
            lambda token: token.digest_prefix,
            leads=True,
            exported=fields("id", "service_id", "digest_prefix"),
        ),
        Column(_("Status"), token_state, key="status", exported={"status": _status_name}),
        Column(
            _("Client"),
            lambda token: token.client,
            key="client",
            exported={"client_id": _client_id},
        ),
        text(_("Subject"), "subject", "subject"),
        moment(_("Issued"), "issued_at", "issued", sort=("pk",)),
        moment(_("Expires"), "expires_at", "expires"),
        Column(_("Bound to"), _bound_to, key="bound", exported=fields("jkt", "x5t_s256")),
        Column(_("Grant"), _grant, key="grant", is_default=False, exported={"grant_id": _grant_id}),
        moment(_("Revoked"), "revoked_at", "revoked", is_default=False),
    )
    readonly_fields = ("shown_digest", "status")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[T]":
        """With the rows that decide a token's status, and without the content of its grant."""
        rows = super().get_queryset(request).select_related(*self.related)
        return rows.defer(*(f"grant__{name}" for name in CONTENT))

    @admin.display(description=_("digest"))
    def shown_digest(self, token: T) -> str:
        """The first 8 of its digest's 64 hexadecimal digits."""
        return token.digest_prefix

    @admin.display(description=_("status"))
    def status(self, token: T) -> Any:
        """The status, as an icon and a word."""
        return token_state(token)


@admin.register(AccessToken)
class AccessTokenAdmin(TokenAdmin[AccessToken]):
    """Access tokens, which clients present."""

    file_name = "access-tokens"


@admin.register(RefreshToken)
class RefreshTokenAdmin(TokenAdmin[RefreshToken]):
    """Refresh tokens, which clients exchange for new tokens."""

    file_name = "refresh-tokens"
