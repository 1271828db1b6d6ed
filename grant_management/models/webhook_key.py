"""The keys of webhooks, and what they sign."""

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Q

from ..db import encryption, primary
from ..db.ids import uuid7
from ..protocol import standard_webhooks


class WebhookKey(models.Model):
    """A key that signs what is sent, encrypted under `ENCRYPTION_KEYS`; until `expires_at`."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    webhook = models.ForeignKey(
        "grant_management.Webhook", on_delete=models.CASCADE, related_name="keys"
    )
    kind = models.CharField(max_length=3)
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    objects = primary.PrimaryManager["WebhookKey"]()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return str(self.pk)


def signatures(webhook: UUID, message_id: str, now: datetime, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one signature of each key that has not expired.

    CannotDecrypt: a key was encrypted under one that is not in `ENCRYPTION_KEYS`, or there is none,
    since the webhook was deleted.
    """
    alive = Q(expires_at=None) | Q(expires_at__gt=now)
    keys = list(WebhookKey.objects.filter(alive, webhook=webhook).order_by("-pk"))
    if not keys:
        raise encryption.CannotDecrypt
    return " ".join(
        standard_webhooks.sign(
            one.kind, encryption.decrypt(bytes(one.sealed)), message_id, timestamp, body
        )
        for one in keys
    )
