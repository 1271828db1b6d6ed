"""The codes that were issued for a grant: the row that a bridge keeps of each."""

from datetime import timedelta
from typing import Any, ClassVar, Final, TypeVar

from django.db import models

from grant_management.db import clock
from grant_management.db.ids import first_uuid7, uuid7
from grant_management.db.primary import PrimaryManager
from grant_management.models import Grant, Service
from grant_management.protocol.digests import sha256

FORGOTTEN_AT_ONCE: Final = 10
"""Old codes that are deleted when a new one is added, so that they never pile up."""
KEPT_FOR: Final = timedelta(days=1)
"""How long a code that was not redeemed is kept after its expiry."""

C = TypeVar("C", bound="Code")


class CodeManager(PrimaryManager[C]):
    """The codes of a bridge."""

    def add(
        self, service: Service, code: str, grant: Grant | None, lifetime: timedelta, **more: Any
    ) -> C:
        """Keep a code for the token request that will present it, and forget a few old ones.

        `more` are columns of the bridge's own.
        """
        self.forget_older(service, clock.now() - lifetime - KEPT_FOR)
        return self.create(
            id=uuid7(clock.now()),  # old codes are found by the time in their keys
            service=service,
            digest=sha256(code),
            grant=grant,
            generation=None if grant is None else grant.access_generation,
            **more,
        )

    def forget_older(self, service: Service, than: Any) -> None:
        """Delete up to FORGOTTEN_AT_ONCE codes of the service that were issued before a time."""
        old = self.filter(service=service, pk__lt=first_uuid7(than)).values("pk")
        self.filter(pk__in=list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])).delete()

    def held(self, service: Service, code: str) -> C | None:
        """The row of a code, locked until the transaction ends; None: there is none.

        Of two requests with one code, the second waits here until the first has deleted the row.
        """
        found = self.filter(service=service, digest=sha256(code)).select_for_update(of=("self",))
        return found.select_related("grant", "grant__client").first()


class Code(models.Model):
    """An authorization code, as a digest, and the grant that the user consented to.

    Where that grant was purged, the row stays with `grant` null: the code cannot be redeemed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, db_index=False)
    digest = models.BinaryField(max_length=32, editable=False)
    grant = models.ForeignKey(Grant, on_delete=models.SET_NULL, null=True, db_index=False)
    # The grant's access generation at the consent; null: the code was issued for no grant.
    generation = models.PositiveIntegerField(null=True)

    objects: ClassVar[CodeManager[Any]] = CodeManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:8]

    @property
    def is_orphaned(self) -> bool:
        """Whether its grant was purged."""
        return self.grant is None and self.generation is not None
