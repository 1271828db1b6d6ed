"""What ties the toolkit's rows to grants."""

from typing import ClassVar

from django.db import models

from grant_management.models import Grant, Service
from grant_management.models.keys import uuid7


class AuthorizedCode(models.Model):
    """An authorization code of the toolkit, as a digest, and the grant that its consent made."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, db_index=False)
    digest = models.BinaryField(max_length=32, editable=False)
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, db_index=False)

    objects: ClassVar[models.Manager["AuthorizedCode"]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "digest"], name="gm_toolkit_code_unique")
        ]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:8]


class LinkedToken(models.Model):
    """A token of the toolkit, by its checksum there, and the grant that it belongs to."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, db_index=False)
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, db_index=False)
    checksum = models.CharField(max_length=64)

    objects: ClassVar[models.Manager["LinkedToken"]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "checksum"], name="gm_toolkit_token_unique")
        ]
        indexes = [models.Index(fields=["service", "grant"], name="gm_toolkit_token_grant")]

    def __str__(self) -> str:
        return self.checksum[:8]
