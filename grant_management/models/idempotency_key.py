"""Idempotency keys: a write that is sent again gets the same answer and is not repeated."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models

from ..db.ids import uuid7
from ..db.primary import PrimaryQuerySet
from ..db.service_row import OfService
from . import copies
from .api_token import ApiToken
from .service import Service

KEPT_FOR: Final = timedelta(hours=24)


class IdempotencyKeyQuerySet(PrimaryQuerySet["IdempotencyKey"]):
    """The store of keys."""

    def claim(
        self, api_token: ApiToken, service: Service, digest: bytes, body: bytes, now: datetime
    ) -> tuple["IdempotencyKey", bool]:
        """The row of a key, and whether this call created it.

        `digest` is that of the key, `body` that of the request's body. Requests with the same key
        wait until this transaction ends.
        """
        rows = self.filter(service=service, api_token=api_token, digest=digest)
        rows.filter(expires_at__lte=now).delete()
        row = self.model(
            service=service,
            api_token=api_token,
            digest=digest,
            body_digest=body,
            expires_at=now + KEPT_FOR,
        )
        copies.of_api_token(api_token)
        # Waits for a concurrent insert of the same key, and then does nothing.
        self.bulk_create([row], ignore_conflicts=True)
        held = rows.get()
        return held, held.pk == row.pk


class IdempotencyKey(OfService):
    """The digest of a key that an API token sent, and the answer to it, without credentials."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, db_index=False)
    api_token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, db_index=False)
    digest = models.BinaryField(max_length=32, editable=False)
    body_digest = models.BinaryField(max_length=32, editable=False)
    answer = models.TextField(blank=True, default="")
    expires_at = models.DateTimeField()

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(
                fields=["service", "api_token", "digest"], name="gm_idempotency_unique"
            )
        ]
        indexes = [models.Index(fields=["service", "expires_at"], name="gm_idempotency_expires")]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:8]
