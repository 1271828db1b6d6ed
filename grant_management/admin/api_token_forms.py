"""The forms of API tokens, and what an operator may give away by them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..fields import members as m
from ..models import ApiToken, Organization, Service
from ..models.api_token import OF_ORGANIZATIONS, RIGHTS
from .kit import form_fields
from .kit.once import OnceForm
from .kit.read_only import limited
from .kit.reasons import NoteForm, ReasonForm
from .kit.utc import NONE, UTCDateTimeField, exact_tag

NEEDED: Final = {
    "can_manage_tokens": ("manage_apitoken",),
    "can_manage_services": ("add_service", "change_service"),
    "can_manage_clients": ("add_client", "change_client"),
    "can_issue_self_service": ("revoke_grant",),
    "can_manage_webhooks": ("manage_webhook",),
    "can_manage_streams": ("manage_stream",),
    "can_read_events": ("view_grantevent",),
}
"""The permissions that an operator needs to give away a right, or the value of a token with it."""
RIGHT_LABELS: Final = {
    "can_manage_tokens": _("May manage the organization's API tokens"),
    "can_manage_services": _("May create, change and delete the organization's services"),
    "can_manage_clients": _("May create, change and delete clients"),
    "can_issue_self_service": _("May issue self-service tokens for people"),
    "can_manage_webhooks": _("May manage webhooks"),
    "can_manage_streams": _("May manage streams of Shared Signals"),
    "can_read_events": _("May read events"),
}
LATELY: Final = timedelta(days=1)
"""A token that was used within this time is in use, as far as a page can tell."""


def may_give(request: HttpRequest, right: str) -> bool:
    """Whether the operator has what this right of an API token allows."""
    return all(request.user.has_perm(f"grant_management.{name}") for name in NEEDED[right])


def may_get(request: HttpRequest, token: ApiToken) -> bool:
    """Whether the operator may get a new value of the token: it allows nothing that they lack."""
    return all(may_give(request, right) for right in token.rights())


class RotateForm(OnceForm, ReasonForm):
    """The reason for rotating an API token."""


class IssueForm(OnceForm, NoteForm):
    """A new API token. It opens the chosen service, or else every service of the organization."""

    organization = form_fields.RowField(Organization.objects.all(), label=_("Organization"))
    service = form_fields.RowField(
        Service.objects.filter(deleted_at=None),
        label=_("Service"),
        required=False,
        empty_label=_("All services of the organization"),
    )
    description = form_fields.text(
        m.DESCRIPTION,
        label=_("Description"),
        required=False,
        help_text=_("Who uses it, so that it is recognised when it must be rotated"),
    )
    expires_at = UTCDateTimeField(
        label=_("Expires (UTC)"),
        required=False,
        help_text=_("As 2027-01-31 12:00:00 UTC; an offset such as +02:00 counts. Empty: never"),
    )
    can_manage_tokens = forms.BooleanField(label=RIGHT_LABELS["can_manage_tokens"], required=False)
    can_manage_services = forms.BooleanField(
        label=RIGHT_LABELS["can_manage_services"], required=False
    )
    can_manage_clients = forms.BooleanField(
        label=RIGHT_LABELS["can_manage_clients"], required=False
    )
    can_issue_self_service = forms.BooleanField(
        label=RIGHT_LABELS["can_issue_self_service"], required=False
    )
    can_manage_webhooks = forms.BooleanField(
        label=RIGHT_LABELS["can_manage_webhooks"], required=False
    )
    can_manage_streams = forms.BooleanField(
        label=RIGHT_LABELS["can_manage_streams"], required=False
    )
    can_read_events = forms.BooleanField(label=RIGHT_LABELS["can_read_events"], required=False)
    field_order = ("organization", "service", "description", "expires_at", *RIGHTS, "note")

    def limit(self, request: HttpRequest) -> "IssueForm":
        """Limit the form to what this operator sees and has, and return it."""
        organizations = limited(Organization.objects.order_by("name"), request, "pk")
        services = Service.objects.filter(deleted_at=None).order_by("name", "pk")
        form_fields.offer(self.fields["organization"], organizations)
        owned: Any = self.fields["service"]
        owned.queryset = limited(services, request, "organization")
        for right in RIGHTS:
            if not may_give(request, right):
                del self.fields[right]
        return self

    def clean_expires_at(self) -> datetime | None:
        """The expiry, or None for never. ValidationError: it is not in the future."""
        at: datetime | None = self.cleaned_data["expires_at"]
        if at is not None and at <= clock.now():
            raise forms.ValidationError(_("That is in the past."))
        return at

    def clean(self) -> dict[str, Any]:
        """The values. An error where the service is not the organization's, and where a token of
        one service would manage more than one.
        """
        values: dict[str, Any] = super().clean() or {}
        service, organization = values.get("service"), values.get("organization")
        if service is None:
            return values
        if service.organization_id != getattr(organization, "pk", None):
            self.add_error("service", _("The service is another organization's."))
        for right in OF_ORGANIZATIONS:
            if values.get(right):
                said = _("Only a token of all services can have this right.")
                self.add_error(right, said)
        return values


def facts_of(token: ApiToken) -> Iterator[tuple[Any, Any]]:
    """What tells an operator which token it is: labels and values."""
    yield _("API token"), token
    yield _("Description"), token.description or NONE
    opens = _("all services of %s") % token.organization
    yield _("Valid for"), token.service or opens
    rights = ", ".join(str(RIGHT_LABELS[name]) for name in RIGHTS if getattr(token, name))
    yield _("Rights"), rights or _("None beyond calls of the API.")
    yield _("Issued"), exact_tag(token.created_at)
    yield _("Issued by"), token.created_by or NONE
    yield _("Last used"), exact_tag(token.last_used_at) if token.last_used_at else _("never")
    yield _("Last used from"), token.last_used_from or NONE


def warnings_of(token: ApiToken) -> Iterator[Any]:
    """What an operator should know before the token stops working."""
    used = token.last_used_at
    if used is not None and clock.now() - used <= LATELY:
        yield _("It was used within the last 24 hours: whoever uses it is refused from then on.")
