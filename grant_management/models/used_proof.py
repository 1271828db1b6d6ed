"""Used DPoP proofs: stored so that a proof is accepted only once (RFC 9449 §11.1)."""

from datetime import datetime
from typing import Any, Final

from django.db import models

from ..db import primary
from ..db.statement import Statement
from ..protocol.digests import sha256
from .service import Service


class UsedProofManager(primary.PrimaryManager["UsedProof"]):
    """The store of used proofs."""

    def burn(self, service: Service, *, jkt: str, jti: str, expires_at: datetime) -> bool:
        """Store a proof; whether this was its first use. The insert is the check: 1 statement.

        It must be outside of a transaction, since a rollback would make the proof usable again. A
        `jkt` has 43 characters, so the digest of both, joined, is that of one pair only.
        """
        with primary.one_write() as connection:
            until: Any = connection.ops.adapt_datetimefield_value(expires_at)
            return _BURN.change(connection, [service.pk, sha256(jkt + jti), until]) == 1


_BURN: Final = Statement(
    "INSERT INTO grant_management_usedproof (service_id, digest, expires_at)"
    " VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
)


class UsedProof(models.Model):
    """The digest of a proof's key thumbprint and `jti`, kept while the proof could be accepted."""

    # This saves the index of a separate key, on the table that is written most.
    pk = models.CompositePrimaryKey("service_id", "digest")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, db_index=False)
    digest = models.BinaryField(max_length=32, editable=False)
    expires_at = models.DateTimeField()

    objects = UsedProofManager()

    class Meta:
        base_manager_name = "objects"
        indexes = [models.Index(fields=["service", "expires_at"], name="gm_used_proof_expires")]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:8]
