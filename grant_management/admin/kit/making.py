"""Pages that create a row, and that change one: each a form, one event, and back to where the
operator came from.
"""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ...db import apart, primary
from ...models import Actor, Organization, Reason, Service
from .read_only import ReadOnlyAdmin

FIRST_RUN: Final = "first-run"
"""The value of `then` in a query: afterwards the checklist of the first run is shown."""


def insert(row: Organization | Service, actor: Actor, why: Reason) -> None:
    """Insert a new row and its event."""
    with apart.of(row), primary.atomic():
        row.save(force_insert=True)
        row.record_creation(actor, why)


def make(
    admin: ReadOnlyAdmin[Any],
    request: HttpRequest,
    title: str | Promise,
    form: forms.Form,
    save: Callable[[], models.Model],
    **context: Any,
) -> HttpResponse:
    """The page with the form; once it is sent and valid, `save` writes, and the row is shown.

    `save` may refuse by adding an error to the form and raising ValidationError.
    """
    if request.method == "POST" and form.is_valid():
        try:
            row = save()
        except forms.ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved: %(row)s.") % {"row": row})
            return HttpResponseRedirect(after(admin, request, row))
    page = checklist(admin) if request.GET.get("then") == FIRST_RUN else admin.url("changelist")
    shown = {"submit": _("Save"), "page": page, "form": form, **context}
    return admin.page(request, "form.html", title, **shown)


def after(admin: ReadOnlyAdmin[Any], request: HttpRequest, row: models.Model) -> str:
    """Where a saved form leads: to the checklist of the first run, or to the row."""
    is_first = request.GET.get("then") == FIRST_RUN
    return checklist(admin) if is_first else admin.url("change", row)


def checklist(admin: ReadOnlyAdmin[Any]) -> str:
    """The URL of the checklist of the first run."""
    name = "admin:grant_management_organization_first_run"
    return reverse(name, current_app=admin.admin_site.name)
