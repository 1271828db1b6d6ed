"""The forms of webhooks."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ..fields import members as m
from ..models import Service
from ..protocol.standard_webhooks import ASYMMETRIC, SYMMETRIC
from .kit import form_fields
from .kit.actions import ReasonForm
from .kit.once import OnceForm
from .kit.service_form import ServiceForm
from .kit.utc import UTCDateTimeField

SIGNATURES = [
    (SYMMETRIC, _("HMAC-SHA256 (v1): a secret")),
    (ASYMMETRIC, _("Ed25519 (v1a): a public key")),
]


class WebhookForm(forms.Form):
    """Where it sends what."""

    url = forms.CharField(
        label=_("URL"), max_length=2_000, validators=[form_fields.follows(m.WEBHOOK_URL)]
    )
    event_types = forms.MultipleChoiceField(
        label=_("Event types"),
        required=False,
        choices=[(one, one) for one in m.EVENT_TYPES.choices],
        help_text=_("None: all"),
    )
    description = form_fields.text(m.DESCRIPTION, label=_("Description"), required=False)


class RegisterForm(OnceForm, ServiceForm, WebhookForm):
    """A new webhook."""

    service = form_fields.RowField(Service.objects.all(), label=_("Service"))
    signature = forms.ChoiceField(label=_("Signature"), choices=SIGNATURES)
    field_order = ("service", "url", "event_types", "signature", "description")


class EditForm(ReasonForm, WebhookForm):
    """What it is changed to, and why."""

    field_order = ("url", "event_types", "description", "reason", "note", "ticket")


class ReplayForm(ReasonForm):
    """Which events are sent again: one, or those of a span of time; and why."""

    event = forms.UUIDField(label=_("Event number"), required=False)
    first = UTCDateTimeField(label=_("From (UTC)"), required=False)
    until = UTCDateTimeField(label=_("To (UTC)"), required=False, help_text=_("Empty: until now"))
    field_order = ("event", "first", "until", "reason", "note", "ticket")

    def clean(self) -> dict[str, Any]:
        """The values. ValidationError: they name neither one event nor one span."""
        values = super().clean() or {}
        event, first, until = (values.get(name) for name in ("event", "first", "until"))
        if bool(event) == bool(first) and not self.errors:
            raise forms.ValidationError(_("Enter an event number, or the beginning of a span."))
        if event and until:
            self.add_error("until", _("One event has no span."))
        if first and until and until <= first:
            self.add_error("until", _("The span ends before it begins."))
        return values


class RotateKeyForm(OnceForm, ReasonForm):
    """A new key, and why."""

    signature = forms.ChoiceField(label=_("Signature"), choices=SIGNATURES)
