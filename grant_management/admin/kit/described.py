"""What the pages share that say something in words for people, in several languages."""

from typing import Any, TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .short_list import ShortListAdmin

M = TypeVar("M", bound=models.Model)


def languages_of(row: Any) -> str:
    """The language tags of a row's texts, the default first."""
    return ", ".join(text["language"] for text in row.texts)


class DescribedAdmin(ShortListAdmin[M]):
    """Rows with `texts`, a list with a button to add one, and a page `describe` that does so."""

    change_form_template = "admin/grant_management/change_form.html"

    @admin.display(description=_("languages"))
    def languages(self, row: Any) -> str:
        """The language tags of its texts, the default first."""
        return languages_of(row)

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """A button to add a row, for operators who may."""
        return [(_("Add…"), self.url("describe"))] if self.may_manage(request) else []
