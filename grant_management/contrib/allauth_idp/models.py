"""The rows that tie allauth's codes and tokens to grants."""

from typing import Any, ClassVar, Final

from django.db import models

from grant_management.contrib.bridge.codes import Code, CodeManager
from grant_management.db.ids import uuid7
from grant_management.db.primary import PrimaryManager
from grant_management.models import Grant, Service

TOKEN: Final[Any] = "allauth_idp_oidc.Token"  # noqa: S105 - the name of a model


class IssuedCode(Code):
    """A code of allauth. Every code has a row, also one without a grant.

    allauth keeps its codes in a cache, where two requests can redeem one. The row lets only one of
    them: it is locked, and deleted with the issue of the tokens.
    """

    objects: ClassVar[CodeManager[Any]] = CodeManager()

    class Meta(Code.Meta):
        constraints = [
            models.UniqueConstraint(fields=["service", "digest"], name="gm_allauth_code_unique")
        ]


class LinkedToken(models.Model):
    """A token of allauth that was registered here, and the grant that it belongs to, if any.

    Deleted with allauth's row. A token that has a link but is unknown here was purged, and is dead;
    without a link, it is from before this app was added. `digest` is that of our row, since allauth
    may hash tokens in another way. `family` is that of the refresh token it was issued with.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, db_index=False, related_name="+")
    grant = models.ForeignKey(
        Grant, on_delete=models.CASCADE, null=True, db_index=False, related_name="+"
    )
    token = models.OneToOneField(TOKEN, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32, editable=False)
    family = models.UUIDField(null=True)

    objects: ClassVar[PrimaryManager["LinkedToken"]] = PrimaryManager()  # type: ignore[assignment]

    class Meta:
        base_manager_name = "objects"
        indexes = [
            models.Index(fields=["service", "grant"], name="gm_allauth_token_grant"),
            models.Index(fields=["service", "family"], name="gm_allauth_token_family"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
