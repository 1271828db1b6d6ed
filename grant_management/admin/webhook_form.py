"""The forms of webhooks."""

from django import forms
from django.utils.translation import gettext_lazy as _

from ..fields import members as m
from ..models import Service
from ..protocol.standard_webhooks import ASYMMETRIC, SYMMETRIC
from .kit import form_fields
from .kit.actions import ReasonForm
from .kit.once import OnceForm
from .kit.service_form import ServiceForm

SIGNATURES = [
    (SYMMETRIC, _("HMAC-SHA256 (v1): a secret")),
    (ASYMMETRIC, _("Ed25519 (v1a): a public key")),
]


class RegisterForm(OnceForm, ServiceForm):
    """A new webhook."""

    service = forms.ModelChoiceField(Service.objects.all(), label=_("Service"))
    url = forms.CharField(
        label=_("URL"), max_length=2_000, validators=[form_fields.follows(m.WEBHOOK_URL)]
    )
    event_types = forms.MultipleChoiceField(
        label=_("Event types"),
        required=False,
        choices=[(one, one) for one in m.EVENT_TYPES.choices],
        help_text=_("None: all"),
    )
    signature = forms.ChoiceField(label=_("Signature"), choices=SIGNATURES)
    description = form_fields.text(m.DESCRIPTION, label=_("Description"), required=False)


class RotateKeyForm(OnceForm, ReasonForm):
    """A new key, and why."""

    signature = forms.ChoiceField(label=_("Signature"), choices=SIGNATURES)
