"""Logos of clients."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import primary
from ..db.of_service import OneToOneWithinService
from ..db.service_row import OfService
from .client import Client
from .service import Service


class LogoManager(primary.PrimaryManager["Logo"]):
    """The store of logos."""

    def shown(self, service_id: int, digest: str) -> "Logo | None":
        """The logo with this digest, in 64 hexadecimal digits, of a client that is not deleted."""
        rows = self.filter(service_id=service_id, digest=bytes.fromhex(digest))
        return rows.filter(client__deleted_at=None, service__deleted_at=None).first()


class Logo(OfService):
    """The logo of a client: PNG as `protocol.logos` encodes it, with its SHA-256 digest."""

    client = OneToOneWithinService(
        Client,
        on_delete=models.PROTECT,
        primary_key=True,
        db_index=False,
        verbose_name=_("client"),
    )
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    digest = models.BinaryField(max_length=32, editable=False)
    content = models.BinaryField(editable=False)

    objects = LogoManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("logo")
        verbose_name_plural = _("logos")
        indexes = [models.Index(fields=["service", "digest"], name="gm_logo_digest")]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:8]
