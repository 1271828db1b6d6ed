"""The rows that tie the toolkit's codes and tokens to grants."""

from typing import Any, ClassVar

from django.db import models
from oauth2_provider.settings import oauth2_settings

from grant_management.contrib.bridge.codes import FORGOTTEN_AT_ONCE, KEPT_FOR, Code, CodeManager
from grant_management.db import clock
from grant_management.db.ids import first_uuid7, uuid7
from grant_management.db.primary import PrimaryManager
from grant_management.models import Grant, Service


class AuthorizedCode(Code):
    """An authorization code of the toolkit that was issued for a grant.

    `generation` is null in rows from before this column.
    """

    objects: ClassVar[CodeManager[Any]] = CodeManager()

    class Meta(Code.Meta):
        constraints = [
            models.UniqueConstraint(fields=["service", "digest"], name="gm_toolkit_code_unique")
        ]


class DeviceAuthorizationManager(PrimaryManager["DeviceAuthorization"]):
    """The device codes that were issued."""

    def forget_old(self, service: Service) -> None:
        """Delete up to FORGOTTEN_AT_ONCE codes of the service that expired some time ago."""
        before = clock.now() - KEPT_FOR
        # The keys are in the order of time, so this reads from the oldest row on.
        old = self.filter(service=service, pk__lt=first_uuid7(before), expires_at__lt=before)
        pks = list(old.order_by("pk").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
        self.filter(pk__in=pks).delete()


class DeviceAuthorization(models.Model):
    """A device code of the toolkit, as a digest, and what the device asked to do to a grant.

    `action` and `named_grant` are its two parameters (draft §5.2); "": absent. `grant` and its
    access `generation` are set when the user allows the request. Where that grant was purged,
    `grant` is null again, and the code cannot be redeemed. The code gives tokens once: the request
    that stamps `redeemed_at` gets them.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, db_index=False)
    digest = models.BinaryField(max_length=32, editable=False)
    action = models.CharField(max_length=16, blank=True, default="")
    named_grant = models.CharField(max_length=255, blank=True, default="")
    grant = models.ForeignKey(
        Grant, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+"
    )
    generation = models.PositiveIntegerField(null=True)
    expires_at = models.DateTimeField()
    redeemed_at = models.DateTimeField(null=True)
    # The latest poll that was answered with authorization_pending.
    polled_at = models.DateTimeField(null=True)

    objects: ClassVar[DeviceAuthorizationManager] = DeviceAuthorizationManager()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(fields=["service", "digest"], name="gm_toolkit_device_unique")
        ]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:8]


class LinkedToken(models.Model):
    """A token of the toolkit that was registered here, and the grant that it belongs to, if any.

    Deleted with the toolkit's row. A token that has a link but is unknown here was purged, and is
    dead; without a link, it is from before this app was added.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, db_index=False)
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, null=True, db_index=False)
    access_token = models.OneToOneField(
        oauth2_settings.ACCESS_TOKEN_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    refresh_token = models.OneToOneField(
        oauth2_settings.REFRESH_TOKEN_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )

    objects: ClassVar[PrimaryManager["LinkedToken"]] = PrimaryManager()  # type: ignore[assignment]

    class Meta:
        base_manager_name = "objects"
        indexes = [models.Index(fields=["service", "grant"], name="gm_toolkit_token_grant")]

    def __str__(self) -> str:
        return str(self.pk)
