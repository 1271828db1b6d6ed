"""What the pages share that say something in words for people, in several languages."""

from typing import Any, TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from .read_only import ReadOnlyAdmin

M = TypeVar("M", bound=models.Model)


class DescribedAdmin(ReadOnlyAdmin[M]):
    """Rows with `texts`, a list with a button to add one, and a page `describe` that does so."""

    change_list_template = "admin/grant_management/description/change_list.html"
    change_form_template = "admin/grant_management/change_form.html"

    @admin.display(description=_("languages"))
    def languages(self, row: Any) -> str:
        """The language tags of its texts, the default first."""
        return ", ".join(text["language"] for text in row.texts)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, with a button to add a row for operators who may."""
        context = {"describe_url": self.url("describe") if self.may_manage(request) else ""}
        return super().changelist_view(request, context | (extra_context or {}))
