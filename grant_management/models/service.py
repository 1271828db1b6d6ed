"""Services: the tenants, each with its settings."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import apart, clock, primary
from ..db.ids import random_number
from ..db.primary import PrimaryManager, PrimaryQuerySet
from ..fields import members as m
from ..fields.field import Field
from ..fields.members import ACTIONS, MAX_ID
from ..fields.words import read_for_page
from ..protocol import jwk, uris
from . import copies
from .cut_off import CutOff
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .organization import Organization


class Ownership(models.TextChoices):
    """The grants that an access token may manage."""

    CLIENT_AND_SUBJECT = "client_and_subject", _("grants of its client and subject")
    CLIENT = "client", _("all grants of its client")


def all_algs() -> list[str]:
    """Every algorithm for DPoP proofs: the default of a new service."""
    return list(jwk.REQUIREMENTS)


def all_actions() -> list[str]:
    """Every grant management action of the draft: the default of a new service."""
    return list(ACTIONS)


def validate_algs(value: Any) -> None:
    """ValidationError unless a non-empty list of known, asymmetric algorithms."""
    _validate(m.SIGNING_ALGS, value)


def validate_actions(value: Any) -> None:
    """ValidationError unless a list of actions of the draft."""
    _validate(m.ACTIONS_SUPPORTED, value)


def validate_endpoint(value: str) -> None:
    """ValidationError unless it is a URL to which grant IDs can be appended (draft §6.3)."""
    _validate(m.ENDPOINT, value)


def validate_storable(value: str) -> None:
    """ValidationError unless the value can be a realm."""
    _validate(m.REALM, value)


def validate_origins(value: Any) -> None:
    """ValidationError unless a list of origins (RFC 6454 §6.2)."""
    _validate(m.SELF_SERVICE_ORIGINS, value)


def _validate(member: Field, value: Any) -> None:
    read_for_page(lambda: member.read(value))


class ServiceManager(PrimaryManager["Service"]):
    """The services of the database in view, without copies of those that live apart."""

    def get_queryset(self) -> PrimaryQuerySet["Service"]:
        """All rows; a row that another one refers to is found in any case."""
        rows = super().get_queryset()
        hidden = () if self._db or self._hints else apart.hidden()  # type: ignore[attr-defined]
        return rows.exclude(pk__in=hidden) if hidden else rows


class Service(CutOff, models.Model):
    """A tenant: an authorization server's grants, tokens and clients, and how calls are checked.

    Durations, ages and skews are seconds.
    """

    id = models.BigIntegerField(
        _("ID"),
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
        _("grant management endpoint"),
        help_text=_(
            "The URL under which grants are resources."
            " A proof's htu must match it if the call sends no htu."
        ),
        max_length=2000,
        blank=True,
        default="",
        validators=[validate_endpoint],
    )
    dpop_nonce_required = models.BooleanField(
        _("DPoP nonce required"),
        help_text=_(
            "Every DPoP proof must carry a nonce of this service; others are refused with A281309."
        ),
        default=False,
    )
    dpop_nonce_duration = models.PositiveIntegerField(
        _("DPoP nonce duration"),
        help_text=_(
            "Seconds for which a nonce is handed out."
            " It is accepted for the same time again afterwards."
        ),
        default=300,
        validators=[MinValueValidator(1), MaxValueValidator(86_400)],
    )
    dpop_signing_algs = models.JSONField(
        _("DPoP signing algorithms"),
        help_text=_("Algorithms that a proof may be signed with; others are refused with A281307."),
        default=all_algs,
        validators=[validate_algs],
    )
    dpop_max_age = models.PositiveIntegerField(
        _("DPoP maximum age"),
        help_text=_("Maximum age of a proof in seconds; older ones are refused with A281307."),
        default=60,
        validators=[MaxValueValidator(3_600)],
    )
    dpop_clock_skew = models.PositiveIntegerField(
        _("DPoP clock skew"),
        help_text=_("Seconds by which a client's clock may differ."),
        default=60,
        validators=[MaxValueValidator(3_600)],
    )
    ownership = models.CharField(
        _("ownership"),
        help_text=_(
            "The grants that a token may manage; others are refused with A284301 or A284302."
        ),
        max_length=20,
        choices=Ownership.choices,
        default=Ownership.CLIENT_AND_SUBJECT,
    )
    revoke_access_tokens = models.BooleanField(
        _("revoke access tokens"),
        help_text="A revoke kills access tokens too; refresh tokens always die.",
        default=True,
    )
    show_timestamps = models.BooleanField(
        _("show timestamps"),
        help_text=_("A QUERY also shows created_at, expires_at, last_updated_at and updated_by."),
        default=False,
    )
    actions_supported = models.JSONField(
        _("actions supported"),
        help_text=_("Actions that the metadata offers and authorization requests may use."),
        default=all_actions,
        blank=True,
        validators=[validate_actions],
    )
    action_required = models.BooleanField(
        _("action required"),
        help_text=_("Authorization requests must carry a grant_management_action."),
        default=False,
    )
    access_token_duration = models.PositiveIntegerField(
        _("access token duration"),
        help_text=_("Lifetime of a new access token in seconds, if the caller gives none."),
        default=3_600,
        validators=[MinValueValidator(1), MaxValueValidator(2**31 - 1)],
    )
    refresh_token_duration = models.PositiveIntegerField(
        _("refresh token duration"),
        help_text=_("Lifetime of a new refresh token in seconds, if the caller gives none."),
        default=30 * 86_400,
        validators=[MinValueValidator(1), MaxValueValidator(2**31 - 1)],
    )
    call_log_size = models.PositiveIntegerField(
        _("call log size"),
        help_text=_(
            "Number of calls that are kept in the log; 0 keeps none. No credentials are stored."
        ),
        default=0,
        validators=[MaxValueValidator(1_000_000)],
    )
    track_last_used = models.BooleanField(
        _("track last used"),
        help_text=_("Tokens and grants remember when they were used last, to the minute."),
        default=False,
    )
    realm = models.CharField(
        _("realm"),
        help_text=_("The realm of a challenge; empty: the service's name."),
        max_length=255,
        blank=True,
        default="",
        validators=[validate_storable],
    )
    publishes_events = models.BooleanField(default=False, db_default=False, editable=False)
    """Whether its events are put into the outbox: from its first webhook on."""

    self_service_origins = models.JSONField(
        _("self-service origins"),
        help_text=_(
            "Origins of web pages that may call the self-service API, such as"
            " https://app.example.com; no wildcards."
        ),
        default=list,
        # With a default of the database: until all servers are upgraded, some do not know it.
        db_default=models.Value([], models.JSONField()),
        blank=True,
        validators=[validate_origins],
    )

    objects = ServiceManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("service")
        verbose_name_plural = _("services")
        permissions = [("cut_off_service", "Can cut off service")]

    def __str__(self) -> str:
        return self.marked(self.name)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it, and its copy in the first database where it lives apart."""
        if self._state.adding:
            copies.of_organization(self.organization)
        super().save(*args, **kwargs)
        self.copy()

    def copy(self) -> None:
        """Write its copy in the first database, where it lives apart."""
        copies.of_service(self)

    def grant_url(self, grant_id: str) -> str:
        """The URL of a grant at this service's endpoint (draft §6.3); "": it has no endpoint."""
        endpoint = self.grant_management_endpoint
        return uris.grant_url(endpoint, grant_id) if endpoint else ""

    @property
    def issuer(self) -> str:
        """Its URL as an issuer (RFC 8414 §2): its endpoint's origin, and its number; "": it has no
        endpoint. RFC 8414 §3.1 and SSF §7.2 insert their well-known paths between the two.
        """
        scheme, host, *_rest = urlsplit(self.grant_management_endpoint)
        return f"{scheme}://{host}/{self.pk}" if host else ""

    def change(self, settings: Mapping[str, Any], actor: Actor, why: Reason) -> list[str]:
        """Write the settings that differ, with an event that has them before and after.

        Returns their names; [] where none differs, and then there is no event.
        """
        with primary.atomic():
            # Locked, so that the event has the very values that this change replaces.
            before = Service.objects.select_for_update().get(pk=self.pk)
            names = [name for name, value in settings.items() if getattr(before, name) != value]
            if not names:
                return names
            details = {
                "before": {name: getattr(before, name) for name in names},
                "after": {name: settings[name] for name in names},
            }
            for name in names:
                setattr(self, name, settings[name])
            self.save(update_fields=names)
            kind, now = EventKind.SETTINGS_CHANGED, clock.now()
            GrantEvent.objects.record(kind, self.pk, now, actor, details=details, **asdict(why))
        return names

    @staticmethod
    def deleted_kind() -> EventKind:
        """The kind of the event of its deletion."""
        return EventKind.SERVICE_DELETED

    def record_creation(self, actor: Actor, why: Reason = NO_REASON) -> None:
        """Add the event of its creation, in the transaction that creates it."""
        kind, details, now = EventKind.SERVICE_CREATED, {"name": self.name}, clock.now()
        GrantEvent.objects.record(kind, self.pk, now, actor, details=details, **asdict(why))

    def event_fields(self) -> dict[str, Any]:
        """The columns by which its events are found: this service, and no client."""
        return {"service_id": self.pk, "client_id": ""}
