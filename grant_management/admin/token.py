"""Access tokens and refresh tokens, without their values."""

from typing import TypeVar

from django.contrib import admin
from django.utils import timezone

from ..models import AccessToken, RefreshToken
from ..models.token import Token
from .read_only import ReadOnlyAdmin

T = TypeVar("T", bound=Token)


class TokenAdmin(ReadOnlyAdmin[T]):
    """A token is its kind and the first 8 characters of its digest."""

    list_display = ("digest_prefix", "status", "client", "subject", "issued_at", "expires_at")
    list_select_related = ("service", "client", "grant", "grant__service", "grant__client")
    readonly_fields = ("digest_prefix", "status")
    search_fields = ("subject__exact", "client__client_id__exact", "grant__grant_id__exact")

    @admin.display(description="status")
    def status(self, token: T) -> str:
        """In words."""
        return token.status(timezone.now()).name.replace("_", " ").capitalize()


@admin.register(AccessToken)
class AccessTokenAdmin(TokenAdmin[AccessToken]):
    """What a client shows."""


@admin.register(RefreshToken)
class RefreshTokenAdmin(TokenAdmin[RefreshToken]):
    """What a client exchanges."""
