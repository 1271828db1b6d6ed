"""The forms of a revoke by filter: the filter, and the confirmation."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import time
from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..fields import members as m
from ..models import Client, EmptyFilter, Grant, GrantFilter, Service
from .grant import GrantListForm
from .kit import form_fields
from .kit.actions import ReasonForm
from .kit.utc import UTCDateTimeField, parse_time

LONGEST_LEFT: Final = 500
"""The most characters of the filters that are left out."""
SHARED: Final = ("service", "client", "subject", "scope", "authorization_type", "created_before")
"""The filters that a list of grants and a job have in common."""


class FilterForm(forms.Form):
    """Which grants to revoke. At least one field besides the service must be filled in."""

    service = form_fields.RowField(Service.objects.none(), label=_("Service"))
    client = forms.CharField(
        label=_("Client ID"),
        required=False,
        widget=forms.TextInput(attrs={"data-suggest": "client", "autocomplete": "off"}),
    )
    subject = form_fields.text(m.SUBJECT.sought(), label=_("Subject"), required=False, strip=False)
    scope = form_fields.text(m.SCOPE, label=_("Scope"), required=False)
    authorization_type = form_fields.text(
        m.AUTHORIZATION_TYPE.sought(), label=_("Authorization type"), required=False
    )
    created_before = UTCDateTimeField(
        label=_("Created before (UTC)"),
        required=False,
        help_text=_(
            "As 2026-01-31 12:00:00 UTC; an offset such as +02:00 counts. With a service or a"
            " client alone: a cut-off, at once"
        ),
    )

    left_out = forms.CharField(
        required=False, max_length=LONGEST_LEFT, strip=True, widget=forms.HiddenInput
    )
    """Filters of a list that the job does not have, in words: the pages warn of them."""

    def __init__(self, *args: Any, services: "QuerySet[Service]", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = services  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The values, with the filter as `wanted`.

        ValidationError: only the service is given, it has no such client, or the time is in the
        future.
        """
        values: dict[str, Any] = super().clean() or {}
        if self.errors:
            return values
        try:
            values["wanted"] = self._wanted(values)
        except EmptyFilter:
            raise forms.ValidationError(
                _("Say which grants: a service alone is not enough.")
            ) from None
        return values

    def _wanted(self, values: dict[str, Any]) -> GrantFilter:
        client = self._client(values["service"], values["client"]) if values["client"] else None
        before = values["created_before"]
        if before is not None and before > clock.now():
            raise forms.ValidationError({"created_before": _("That is in the future.")})
        names = {name: values[name] or None for name in ("subject", "scope", "authorization_type")}
        return GrantFilter(values["service"], client, created_before=before, **names)

    def _client(self, service: Service, client_id: str) -> Client:
        client = Client.objects.filter(service=service, client_id=client_id).first()
        if client is None:
            raise forms.ValidationError({"client": _("The service has no such client.")})
        return client


def carried_over(params: Any, services: "QuerySet[Service]") -> dict[str, Any]:
    """What the form begins with: the filters of a list of grants, as far as a job has the same; and
    as `left_out` those that a job does not have, in words.

    The service is chosen already where there is only one.
    """
    found = {name: params[name] for name in SHARED if params.get(name)}
    if "service" not in found and len(few := services[:2]) == 1:
        found["service"] = few[0]
    taken = {*found, *_sought(params.get("q"), services, found), *_until(params, found)}
    applied = GrantListForm(params, services=services).applied()
    left = [one for one in applied if one.name not in taken]
    found["left_out"] = ", ".join(f"{one.label} {one.value}".strip() for one in left)[:LONGEST_LEFT]
    return found


def _sought(term: Any, services: "QuerySet[Service]", found: dict[str, Any]) -> Iterator[str]:
    """Take the search of a list as a client ID or as a subject. A grant ID is neither."""
    if not term:
        return
    known = Client.objects.filter(service__in=services, client_id=term)
    is_grant = Grant.objects.filter(service__in=list(services), grant_id=term).exists()
    name = "client" if known.exists() else "subject"
    if name not in found and not (name == "subject" and is_grant):
        found[name] = term
        yield "q"


def _until(params: Any, found: dict[str, Any]) -> Iterator[str]:
    """Take the last moment of a list, where it can be read."""
    until = params.get("until")
    if until and "created_before" not in found:
        with suppress(ValueError):
            found["created_before"] = parse_time(until, time.max)
            yield "until"


class ConfirmForm(ReasonForm):
    """The confirmation: the phrase as typed, the reason, and the new sweep's key.

    The key makes the page work once: a second sweep cannot have it.
    """

    typed = forms.CharField(label=_("To confirm, type"), required=False)
    sweep = forms.UUIDField(widget=forms.HiddenInput)
    field_order = ("typed", "reason", "note", "ticket", "sweep")
