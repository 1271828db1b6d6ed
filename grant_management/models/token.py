"""Access tokens and refresh tokens, by digest."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum, auto
from functools import cache
from typing import Final, Self, TypeVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ..db import primary
from ..db.ids import uuid7
from ..db.joined import JoinedQuery, Part
from ..db.of_service import ForeignKeyWithinService, at_services
from ..db.service_row import OfService
from ..protocol.digests import sha256
from ..signals import token_presented
from .client import Client
from .grant import Grant
from .last_used import LastUsed
from .service import Service
from .spared import Of, spared


class TokenStatus(Enum):
    """The status of a token. If several apply, the first member is reported."""

    EXPIRED = auto()
    REVOKED = auto()
    GRANT_DEAD = auto()
    SUPERSEDED = auto()
    CLIENT_LOCKED = auto()
    ACTIVE = auto()


class Token(OfService):
    """The columns of both kinds. `generation` is that of the grant when the token was issued."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    client = ForeignKeyWithinService(
        Client, on_delete=models.PROTECT, db_index=False, verbose_name=_("client")
    )
    grant = ForeignKeyWithinService(
        Grant,
        on_delete=models.PROTECT,
        db_index=False,
        null=True,
        blank=True,
        verbose_name=_("grant"),
    )
    digest = models.BinaryField(max_length=32, editable=False)
    subject = models.CharField(_("subject"), max_length=255, null=True, blank=True)
    scopes = models.TextField(_("scopes"), blank=True, default="")
    issued_at = models.DateTimeField(_("issued"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    generation = models.PositiveIntegerField(_("generation"), default=0)
    jkt = models.CharField(_("key thumbprint"), max_length=43, blank=True, default="")
    x5t_s256 = models.CharField(_("certificate thumbprint"), max_length=43, blank=True, default="")

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["service", "digest"], name="gm_%(class)s_unique")
        ]
        indexes = [
            # Every query names the service, so every index begins with it, and foreign keys have
            # no index of their own (`db_index=False`).
            models.Index(fields=["service", "expires_at"], name="gm_%(class)s_expires"),
            # Except this one: where a grant is deleted, the database looks for its tokens by the
            # foreign key alone, and without this index it reads all tokens for each grant.
            models.Index(fields=["grant", "service", "-id"], name="gm_%(class)s_grant"),
            models.Index(fields=["service", "-id"], name="gm_%(class)s_newest"),
            models.Index(fields=["service", "client"], name="gm_%(class)s_client"),
            models.Index(fields=["service", "subject"], name="gm_%(class)s_subject"),
            models.Index(
                fields=["service", "id"],
                name="gm_%(class)s_endless",
                condition=models.Q(expires_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.digest_prefix

    @property
    def digest_prefix(self) -> str:
        """The first 8 of the digest's 64 hexadecimal digits, which may be shown."""
        return bytes(self.digest).hex()[:8]

    def know(self, service: Service, client: Client, grant: Grant | None) -> None:
        """Cache the rows that were loaded with it, as the descriptors of foreign keys do."""
        client._state.fields_cache = {"service": service}
        self._state.fields_cache = {"service": service, "client": client, "grant": grant}
        if grant is not None:
            grant.know(service, client)

    def status(self, now: datetime) -> TokenStatus:
        """The status at that time, by the token, its client, service and grant.

        No query if these were loaded with it.
        """
        client, grant = self.client, self.grant
        cut_off = self.service.latest_cut_off(client)
        if self.expires_at is not None and self.expires_at <= now:
            return TokenStatus.EXPIRED
        if self.revoked_at is not None or (cut_off is not None and self.issued_at < cut_off):
            return TokenStatus.REVOKED
        if grant is not None and (grant.is_expired(now) or grant.is_before(cut_off)):
            return TokenStatus.GRANT_DEAD
        if grant is not None and self.generation != self.generation_of(grant):
            # `revoked_at` of the grant alone kills no token: whether access tokens survive was
            # decided by the service's setting when the grant was revoked.
            revoked = grant.revoked_at is not None
            return TokenStatus.GRANT_DEAD if revoked else TokenStatus.SUPERSEDED
        return TokenStatus.ACTIVE if client.locked_at is None else TokenStatus.CLIENT_LOCKED

    def ends_at(self) -> datetime | None:
        """When it expires: with its grant at the latest (`exp`, RFC 7662 §2.2). None: never."""
        ends = [self.expires_at, self.grant.expires_at if self.grant else None]
        return min((end for end in ends if end is not None), default=None)

    @staticmethod
    def generation_of(grant: Grant) -> int | None:
        """The generation that an active token of this kind has; None: no token is active."""
        raise NotImplementedError

    @staticmethod
    def of_living_grant() -> Q:
        """The rule of `generation_of` as a condition of a query."""
        raise NotImplementedError

    @classmethod
    def living(cls, now: datetime, of: Of = None) -> Q:
        """The condition that `status` is ACTIVE, or CLIENT_LOCKED, at that time; `of`: see
        `spared`.
        """
        kept = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
        of_grant = cls.of_living_grant()
        of_grant &= Q(grant__expires_at=None) | Q(grant__expires_at__gt=now)
        of_grant &= spared("grant__created_at", of)
        return kept & spared("issued_at", of) & (Q(grant=None) | of_grant)


T = TypeVar("T", bound=Token)


class TokenQuerySet(primary.PrimaryQuerySet[T]):
    """The store of tokens of one kind."""

    def revoke(self, services: Iterable[int], at: datetime) -> int:
        """Revoke these tokens of the services with these numbers; how many this call revoked.

        Tokens that are revoked or expired already are left alone, and grants stay active.
        """
        # After waiting for a lock on a row PostgreSQL tests only the outer condition again, so
        # the caller's conditions are in a subquery and those that may change are outside of it.
        keys = self.order_by().values("pk")
        rows = self.model._default_manager.filter(at_services(services), pk__in=keys)
        alive = rows.filter(revoked_at=None).exclude(expires_at__lte=at)
        return alive.update(revoked_at=at)

    def alive(self, now: datetime, of: Of = None) -> Self:
        """The tokens that are `living` at that time; `of`: see `spared`."""
        return self.filter(self.model.living(now, of))

    def presented(self, service: Service, value: str) -> T:
        """The token of a clear value, with its client and grant: 1 query. Sends `token_presented`.

        Raises DoesNotExist if the service has no such token.
        """
        found = _presented(self.model).get(primary.alias(), [service.pk, sha256(value)])
        if found is None:
            raise self.model.DoesNotExist
        token: T
        (token, client, grant), _now = found
        token.know(service, client, grant)
        token_presented.send(sender=self.model, token=token, value=value)
        return token


CLIENT_AND_GRANT: Final = (
    "LEFT JOIN grant_management_client AS client"
    " ON client.id = token.client_id AND client.service_id = token.service_id"
    " LEFT JOIN grant_management_grant AS held"
    " ON held.id = token.grant_id AND held.service_id = token.service_id"
)


def token_parts(model: type[Token]) -> tuple[Part, Part, Part]:
    """The parts of a joined row: a token of this kind, its client and its grant."""
    return (
        Part(model, "token", without=("digest",)),
        Part(Client, "client", without=("name", "deleted_at"), repeats=True),
        Part(Grant, "held"),
    )


@cache
def _presented(model: type[Token]) -> JoinedQuery:
    """A token by its service and its digest."""
    return JoinedQuery(
        f"FROM {model._meta.db_table} AS token {CLIENT_AND_GRANT}"
        " WHERE token.service_id = %s AND token.digest = %s",
        *token_parts(model),
    )


class AccessToken(Token, LastUsed):
    """The token that a client presents at the grant management endpoint."""

    objects = TokenQuerySet["AccessToken"].as_manager()

    class Meta(Token.Meta):
        base_manager_name = "objects"
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")

    def mark_used(self, now: datetime) -> None:
        """Store the time of last use, of the token and of its grant."""
        super().mark_used(now)
        if self.grant is not None:
            self.grant.mark_used(now)

    @staticmethod
    def generation_of(grant: Grant) -> int:
        """The grant's access generation, which a replace raises, and a revoke if so configured."""
        return grant.access_generation

    @staticmethod
    def of_living_grant() -> Q:
        """The rule of `generation_of` as a condition of a query."""
        return Q(generation=F("grant__access_generation"))


class RefreshToken(Token):
    """The token that a client exchanges, once, for new tokens.

    It has the same `family` as all tokens that come from it by rotation.
    """

    rotated_at = models.DateTimeField(_("rotated"), null=True, blank=True)
    family = models.UUIDField(_("family"), default=uuid7)

    objects = TokenQuerySet["RefreshToken"].as_manager()

    class Meta(Token.Meta):
        base_manager_name = "objects"
        verbose_name = _("refresh token")
        verbose_name_plural = _("refresh tokens")
        indexes = [
            *Token.Meta.indexes,
            models.Index(fields=["service", "family"], name="gm_refreshtoken_family"),
        ]

    def relatives(self) -> "TokenQuerySet[RefreshToken]":
        """The tokens of its family: itself, and those before and after it by rotation."""
        return RefreshToken.objects.filter(service_id=self.service_id, family=self.family)

    @staticmethod
    def generation_of(grant: Grant) -> int | None:
        """The grant's refresh generation, which merge, replace, revoke and reuse raise.

        None if the grant is revoked: no refresh token outlives its grant (draft §6.5), whatever
        generation an import gave it.
        """
        return grant.refresh_generation if grant.revoked_at is None else None

    @staticmethod
    def of_living_grant() -> Q:
        """The rule of `generation_of` as a condition of a query."""
        return Q(generation=F("grant__refresh_generation"), grant__revoked_at=None)
