"""Services: the tenants, each with its settings."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..protocol import jwk, uris
from ..protocol.strict_json import check_string
from .cut_off import CutOff
from .keys import random_number
from .organization import MAX_ID, Organization

ACTIONS = ("query", "revoke", "create", "merge", "replace")
"""What a service can support (draft §7.1)."""


class Ownership(models.TextChoices):
    """Whose grant a token may manage."""

    CLIENT_AND_SUBJECT = "client_and_subject", _("its client's and its subject's")
    CLIENT = "client", _("any of its client's")


def all_algs() -> list[str]:
    """Every algorithm that a DPoP proof can be signed with here."""
    return list(jwk.REQUIREMENTS)


def all_actions() -> list[str]:
    """Every action of the draft."""
    return list(ACTIONS)


def validate_algs(value: Any) -> None:
    """ValidationError unless a non-empty list of known, asymmetric algorithms."""
    _validate_subset(value, jwk.REQUIREMENTS)
    if not value:
        raise ValidationError(_("Name at least one algorithm."))


def validate_actions(value: Any) -> None:
    """ValidationError unless a list of actions of the draft."""
    _validate_subset(value, ACTIONS)


def validate_endpoint(value: str) -> None:
    """ValidationError unless grant IDs can be appended to it."""
    if not uris.is_endpoint(value):
        raise ValidationError(_("Must be an absolute http or https URL without query or fragment."))
    try:
        uris.normalise(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def validate_storable(value: str) -> None:
    """ValidationError for U+0000 and lone surrogates, which PostgreSQL cannot store."""
    try:
        check_string(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _validate_subset(value: Any, known: Any) -> None:
    if not isinstance(value, list) or not all(
        isinstance(one, str) and one in known for one in value
    ):
        raise ValidationError(
            _("Must be a list of: %(known)s."), params={"known": ", ".join(known)}
        )


class Service(CutOff, models.Model):
    """A tenant: an authorization server's grants, tokens and clients, and how calls are checked.

    Durations, ages and skews are seconds.
    """

    id = models.BigIntegerField(
        primary_key=True,
        default=random_number,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_ID)],
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="services",
        verbose_name=_("organization"),
    )
    name = models.CharField(_("name"), max_length=255)
    grant_management_endpoint = models.CharField(
        max_length=2000, blank=True, default="", validators=[validate_endpoint]
    )
    dpop_nonce_required = models.BooleanField(default=False)
    dpop_nonce_duration = models.PositiveIntegerField(
        default=300, validators=[MinValueValidator(1), MaxValueValidator(86_400)]
    )
    dpop_signing_algs = models.JSONField(default=all_algs, validators=[validate_algs])
    dpop_max_age = models.PositiveIntegerField(default=60, validators=[MaxValueValidator(3_600)])
    dpop_clock_skew = models.PositiveIntegerField(default=60, validators=[MaxValueValidator(3_600)])
    ownership = models.CharField(
        max_length=20, choices=Ownership.choices, default=Ownership.CLIENT_AND_SUBJECT
    )
    revoke_access_tokens = models.BooleanField(default=True)
    show_timestamps = models.BooleanField(default=False)
    actions_supported = models.JSONField(
        default=all_actions, blank=True, validators=[validate_actions]
    )
    action_required = models.BooleanField(default=False)
    access_token_duration = models.PositiveIntegerField(
        default=3_600, validators=[MinValueValidator(1), MaxValueValidator(2**31 - 1)]
    )
    refresh_token_duration = models.PositiveIntegerField(
        default=30 * 86_400, validators=[MinValueValidator(1), MaxValueValidator(2**31 - 1)]
    )
    call_log_size = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(1_000_000)]
    )
    track_last_used = models.BooleanField(default=False)
    realm = models.CharField(max_length=255, blank=True, default="", validators=[validate_storable])

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        permissions = [("cut_off_service", "Can cut off service")]

    def __str__(self) -> str:
        return self.name

    def grant_url(self, grant_id: str) -> str:
        """The URL of a grant at this service's own endpoint, or "" where it has none."""
        endpoint = self.grant_management_endpoint
        return uris.grant_url(endpoint, grant_id) if endpoint else ""

    def event_fields(self) -> dict[str, Any]:
        """Itself, and no client in particular."""
        return {"service_id": self.pk, "client_id": ""}
