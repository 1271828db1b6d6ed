"""Attempts to send a webhook, and how they ended."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import primary
from ..db.ids import uuid7


class Outcome(models.TextChoices):
    """How an attempt ended."""

    DELIVERED = "delivered", _("Delivered")
    REFUSED = "refused", _("Refused by its status")
    REDIRECTED = "redirected", _("Redirected, which is not followed")
    GONE = "gone", _("The receiver is gone (410)")
    TIMED_OUT = "timed_out", _("No answer in time")
    NOT_CONNECTED = "not_connected", _("No connection")
    NOT_TRUSTED = "not_trusted", _("The certificate is not trusted")
    NOT_RESOLVED = "not_resolved", _("The name has no address")
    NOT_ALLOWED = "not_allowed", _("The address is not allowed")
    NO_KEY = "no_key", _("The key cannot be decrypted")
    NO_EVENT = "no_event", _("The event was purged")
    NOT_ACCEPTED = "not_accepted", _("Refused for good by its receiver")

    @property
    def is_final(self) -> bool:
        """Whether another attempt would end in the same way."""
        return self in (Outcome.DELIVERED, Outcome.NO_EVENT, Outcome.NOT_ACCEPTED)


class WebhookAttempt(models.Model):
    """One attempt: when, for how long, and how it ended. No text of an answer or error is kept."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    delivery = models.ForeignKey(
        "grant_management.WebhookDelivery",
        on_delete=models.CASCADE,
        related_name="log",
        verbose_name=_("delivery"),
    )
    at = models.DateTimeField(_("at"))
    milliseconds = models.PositiveIntegerField(_("milliseconds"))
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices)
    status = models.PositiveSmallIntegerField(_("status"), null=True)

    objects = primary.PrimaryManager["WebhookAttempt"]()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("webhook attempt")
        verbose_name_plural = _("webhook attempts")

    def __str__(self) -> str:
        return f"{self.outcome} {self.at:%Y-%m-%d %H:%M:%S} UTC"
