"""Organizations, which own services."""

from django.contrib import admin

from ..models import Organization
from .kit.read_only import ReadOnlyAdmin


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin[Organization]):
    """Organizations, by number and name."""

    organization_path = "pk"
    list_display = ("name", "id")
    search_fields = ("name__startswith",)
