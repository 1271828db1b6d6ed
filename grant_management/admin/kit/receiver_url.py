"""URLs of receivers, which often carry a credential: shown to whoever may change them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ...protocol.uris import without_secrets
from .actions import M, OperatorAdmin


class ReceiverAdmin(OperatorAdmin[M]):
    """An admin of rows with a `url`; others than their managers see its host alone."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The fields of a row's page."""
        names = super().get_fields(request, obj)
        if request.user.has_perm(self.manage_permission):
            return names
        return [_host if name == "url" else name for name in names]


@admin.display(description=_("URL"))
def _host(row: Any) -> str:
    return without_secrets(row.url) if row.url else ""
