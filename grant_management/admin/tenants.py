"""Organizations, services, clients and API tokens."""

from django.contrib import admin

from ..models import ApiToken, Client, Organization, Service
from .read_only import ReadOnlyAdmin


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin[Organization]):
    """Who owns services."""

    list_display = ("name", "id")
    search_fields = ("name__startswith",)


@admin.register(Service)
class ServiceAdmin(ReadOnlyAdmin[Service]):
    """A tenant and its settings."""

    list_display = ("name", "id", "organization", "grant_management_endpoint", "not_before")
    list_select_related = ("organization",)
    search_fields = ("name__startswith",)


@admin.register(Client)
class ClientAdmin(ReadOnlyAdmin[Client]):
    """An application."""

    list_display = ("name", "client_id", "id", "service", "locked_at", "not_before")
    list_select_related = ("service",)
    search_fields = ("client_id__exact",)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin[ApiToken]):
    """A caller's credential, by its prefix."""

    list_display = (
        "prefix",
        "kind",
        "description",
        "organization",
        "service",
        "created_at",
        "created_by",
        "expires_at",
        "revoked_at",
    )
    list_select_related = ("organization", "service")
