"""Grants and their tokens as records."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from .. import members as m
from ..models import AccessToken, Grant, RefreshToken
from ..models.grant import UpdatedBy
from ..protocol.content import show_claims, show_details
from .inserting import new
from .kind import BadRecord, Fields, Key, Kind, assign, digest_of, earliest, expire, keep, latest
from .lookups import any_of


def _updated_by(value: Any) -> str:
    if value is not None and value not in UpdatedBy.values:
        raise ValueError(f"must be one of {', '.join(UpdatedBy.values)}")
    return value or ""


class GrantKind(Kind):
    """`{"type":"grant","service":…,"client_id":…,"grant_id":…}` and what was granted."""

    name = "grant"
    model = Grant
    readers = {
        "service": m.identifier,
        "client_id": m.text(255),
        "grant_id": m.grant_id,
        "subject": m.optional(m.text(255)),
        "scopes": m.grant_scopes,
        "claims": show_claims,
        "authorization_details": show_details,
        "created_at": m.moment,
        "last_updated_at": m.optional(m.moment),
        "updated_by": _updated_by,
        "expires_at": m.optional(m.moment),
        "revoked_at": m.optional(m.moment),
        "pending": m.flag,
        "access_generation": m.generation,
        "refresh_generation": m.generation,
    }
    required = frozenset({"service", "client_id", "grant_id"})
    refers = ("service", "client")
    content = ("scopes", "claims", "authorization_details", "last_updated_at", "updated_by")
    generations = ("access_generation", "refresh_generation")
    updated = (*content, *generations, "created_at", "expires_at", "revoked_at", "pending")

    def key(self, fields: Fields) -> Key:
        """Its service and grant ID."""
        return (fields["service"].pk, fields["grant_id"])

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """By service and grant ID."""
        services, grant_ids = zip(*keys, strict=True)
        rows = Grant.objects.select_for_update(of=("self",)).select_related("client")
        rows = rows.filter(any_of("service_id", services), any_of("grant_id", grant_ids))
        return {(row.service_id, row.grant_id): row for row in rows}

    def create(self, fields: Fields, now: datetime) -> Grant:
        """As it is; one that comes revoked has no live tokens of generation 0."""
        generation = 1 if fields.get("revoked_at") else 0
        stamps = {"created_at": now, **dict.fromkeys(self.generations, generation)}
        return new(Grant, {**stamps, **fields})

    def update(self, row: Grant, fields: Fields, now: datetime) -> None:
        """What was granted; its death only once."""
        keep(row, fields, "client", "subject")
        dies = row.revoked_at is None and fields.get("revoked_at") is not None
        for name in self.generations:
            latest(row, {name: getattr(row, name) + 1} if dies else {}, name)
            latest(row, fields, name)
        assign(row, fields, *self.content)
        earliest(row, fields, "created_at", "revoked_at")
        expire(row, fields, now)
        row.pending = row.pending and fields.get("pending", row.pending)


class TokenKind(Kind):
    """`{"type":"access_token","service":…,"client_id":…,"token":…}`; refresh tokens alike."""

    model: ClassVar[type[AccessToken | RefreshToken]]
    readers = {
        "service": m.identifier,
        "client_id": m.text(255),
        "grant_id": m.optional(m.grant_id),
        "subject": m.optional(m.text(255)),
        "token": m.clear_value,
        "token_sha256": m.hex_digest,
        "scopes": m.token_scopes,
        "issued_at": m.moment,
        "expires_at": m.optional(m.moment),
        "revoked_at": m.optional(m.moment),
        "generation": m.generation,
        "cnf": m.confirmation,
    }
    required = frozenset({"service", "client_id"})
    refers = ("service", "client", "grant")
    stamps = ("issued_at", "expires_at", "revoked_at")
    updated: ClassVar[tuple[str, ...]] = ("scopes", *stamps, "jkt", "x5t_s256")

    def read(self, record: Mapping[str, Any]) -> Fields:
        """With `digest`, and what binds it."""
        fields = digest_of(super().read(record))
        fields.update(fields.pop("cnf", {}))
        return fields

    def key(self, fields: Fields) -> Key:
        """Its service and digest."""
        return (fields["service"].pk, fields["digest"])

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """By service and digest."""
        services, digests = zip(*keys, strict=True)
        rows = self.model._default_manager.select_for_update(of=("self",))
        rows = rows.select_related("client", "grant")
        rows = rows.filter(any_of("service_id", services), any_of("digest", digests))
        return {(row.service_id, bytes(row.digest)): row for row in rows}

    def create(self, fields: Fields, now: datetime) -> AccessToken | RefreshToken:
        """As it is, where its grant is its client's."""
        grant = fields.get("grant")
        if grant is not None and grant.client_id != fields["client"].pk:
            raise BadRecord("its grant is another client's")
        return new(self.model, {"issued_at": now, **fields})

    def update(self, row: AccessToken | RefreshToken, fields: Fields, now: datetime) -> None:
        """Its scopes and its end. Its generation stays: another could bring it back to life."""
        keep(row, fields, "client", "subject", "grant")
        keep(row, fields, *(name for name in ("jkt", "x5t_s256") if getattr(row, name)))
        assign(row, fields, "scopes", "jkt", "x5t_s256")
        earliest(row, fields, "issued_at", "revoked_at")
        expire(row, fields, now)


class AccessTokenKind(TokenKind):
    """An access token."""

    name = "access_token"
    model = AccessToken


class RefreshTokenKind(TokenKind):
    """A refresh token: also when it was rotated, and the family that it belongs to."""

    name = "refresh_token"
    model = RefreshToken
    readers = {**TokenKind.readers, "rotated_at": m.optional(m.moment), "family": m.identity}
    updated = (*TokenKind.updated, "rotated_at")

    def update(self, row: AccessToken | RefreshToken, fields: Fields, now: datetime) -> None:
        """As other tokens; rotated once, rotated for ever."""
        super().update(row, fields, now)
        earliest(row, fields, "rotated_at")
