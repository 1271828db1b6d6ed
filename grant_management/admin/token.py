"""Tokens: their kind and the first 8 characters of their digest, never their value."""

from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..db.keyset import Rows
from ..models import AccessToken, Grant, RefreshToken
from ..models.grant import CONTENT
from ..models.token import Token
from .kit.display import identifier, time_tag
from .kit.listing import Column, ListAdmin, ListForm
from .kit.token_state import token_state

T = TypeVar("T", bound=Token)


class TokenListForm(ListForm):
    """Filters: service and grant ID."""

    search_help = _("Exact: a grant ID")

    def narrow(self, rows: Rows) -> Rows:
        """The tokens of the grants with this grant ID."""
        term = self.cleaned_data.get("q")
        if not term:
            return rows
        known = Grant.objects.filter(service__in=self.chosen(), grant_id=term)
        return rows.filter(grant__in=list(known.values_list("pk", flat=True)))


def _bound_to(token: Token) -> str:
    what = _("key thumbprint") if token.jkt else _("certificate thumbprint")
    return identifier(token.jkt or token.x5t_s256, what)


def _grant(token: Token) -> str:
    return identifier(token.grant.grant_id if token.grant else None, _("grant ID"))


class TokenAdmin(ListAdmin[T]):
    """Tokens of one kind, shown by the first 8 characters of their digests."""

    list_form = TokenListForm
    related = ("service", "client", "grant", "grant__service", "grant__client")
    large = ("scopes", *(f"grant__{name}" for name in CONTENT))
    columns = (
        Column(_("Digest"), lambda token: token.digest_prefix, leads=True),
        Column(_("Status"), token_state, key="status"),
        Column(_("Client"), lambda token: token.client, key="client"),
        Column(_("Subject"), lambda token: token.subject, key="subject"),
        Column(_("Issued"), lambda token: time_tag(token.issued_at), key="issued", sort=("pk",)),
        Column(_("Expires"), lambda token: time_tag(token.expires_at), key="expires"),
        Column(_("Bound to"), _bound_to, key="bound"),
        Column(_("Grant"), _grant, key="grant", is_default=False),
        Column(
            _("Revoked"), lambda token: time_tag(token.revoked_at), key="revoked", is_default=False
        ),
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


@admin.register(RefreshToken)
class RefreshTokenAdmin(TokenAdmin[RefreshToken]):
    """Refresh tokens, which clients exchange for new tokens."""
