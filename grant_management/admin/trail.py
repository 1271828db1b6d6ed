"""What is left behind: nonces and events."""

from django.contrib import admin

from ..models import DPoPNonce, GrantEvent
from .read_only import ReadOnlyAdmin


@admin.register(DPoPNonce)
class DPoPNonceAdmin(ReadOnlyAdmin[DPoPNonce]):
    """The nonces that services handed out. They are no secrets: every client sees them."""

    list_display = ("service", "value", "not_before", "expires_at")
    list_select_related = ("service",)
    ordering = ("-not_before",)


@admin.register(GrantEvent)
class GrantEventAdmin(ReadOnlyAdmin[GrantEvent]):
    """Who did what, when and why."""

    list_display = ("at", "kind", "actor", "client_id", "subject", "grant_id", "reason", "service")
    list_select_related = ("service",)
    list_filter = ("kind",)
    search_fields = ("grant_id__exact", "subject__exact")
    ordering = ("-at",)
