"""What every page has in common: it shows, and changes nothing."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

M = TypeVar("M", bound=models.Model)

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
else:

    class ModelAdmin(admin.ModelAdmin):
        """Django's, which takes a parameter only in the eyes of a type checker."""

        def __class_getitem__(cls, model: type[models.Model]) -> type:
            return cls


class ReadOnlyAdmin(ModelAdmin[M]):
    """A model to be seen by those who may. Digests are on no page."""

    exclude = ("digest",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: rows come from the API, the commands and the import."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: what is revoked stays to be seen, and what has expired is purged."""
        return False
