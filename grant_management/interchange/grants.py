"""Grants and their tokens as records."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from ..conf import app_settings
from ..db.any_of import any_of
from ..db.bulk_insert import new
from ..fields import members as m
from ..fields.field import Field
from ..models import AccessToken, Grant, RefreshToken
from ..models.grant import following
from ..protocol import content
from .record import BadRecord, Fields, Key, Kind, assign, digest_of, earliest, expire, keep, latest


class GrantKind(Kind):
    """`{"type":"grant","service":…,"client_id":…,"grant_id":…}` and what the grant holds."""

    name = "grant"
    model = Grant
    members = (
        m.SERVICE_ID.named("service"),
        m.CLIENT_ID,
        m.GRANT_ID,
        m.SUBJECT.or_null(),
        m.SCOPES,
        m.CLAIMS,
        m.DETAILS,
        m.CREATED_AT,
        m.LAST_UPDATED_AT.or_null(),
        m.UPDATED_BY.or_null(),
        m.ENDS_AT.or_null(),
        m.REVOKED_AT.or_null(),
        m.PENDING,
        m.GENERATION.named("access_generation"),
        m.GENERATION.named("refresh_generation"),
    )
    required = frozenset({"service", "client_id", "grant_id"})
    refers = ("service", "client")
    texts = ("scopes", "claims", "authorization_details")
    content = (*texts, "last_updated_at", "updated_by")
    generations = ("access_generation", "refresh_generation")
    updated = (*content, *generations, "created_at", "expires_at", "revoked_at", "pending")

    def read(self, record: Mapping[str, Any]) -> Fields:
        """The fields, with the content as the JSON texts that are stored."""
        fields = super().read(record)
        for name, show in _SHOW.items():
            if name in fields:
                fields[name] = show(fields[name])
        if "updated_by" in fields:
            fields["updated_by"] = fields["updated_by"] or ""
        return fields

    def key(self, fields: Fields) -> Key:
        """Its service and grant ID."""
        return (fields["service"].pk, fields["grant_id"])

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The grants by service and grant ID, locked."""
        services, grant_ids = zip(*keys, strict=True)
        rows = Grant.objects.select_for_update(of=("self",)).select_related("client")
        rows = rows.filter(any_of("service_id", services), any_of("grant_id", grant_ids))
        return {(row.service_id, row.grant_id): row for row in rows.order_by("pk")}

    def create(self, fields: Fields, now: datetime) -> Grant:
        """A new grant. One that comes revoked starts at generation 1: tokens of 0 are dead."""
        generation = 1 if fields.get("revoked_at") else 0
        stamps = {"created_at": now, **dict.fromkeys(self.generations, generation)}
        self._check_size({}, fields)
        return new(Grant, {**stamps, **fields})

    def update(self, row: Grant, fields: Fields, now: datetime) -> None:
        """Update what it holds and its times. Revoking it raises its generations, once."""
        keep(row, fields, "client", "subject")
        self._check_size({name: getattr(row, name) for name in self.texts}, fields)
        dies = row.revoked_at is None and fields.get("revoked_at") is not None
        for name in self.generations:
            latest(row, {name: following(getattr(row, name))} if dies else {}, name)
            latest(row, fields, name)
        assign(row, fields, *self.content)
        earliest(row, fields, "created_at", "revoked_at")
        expire(row, fields, now)
        # A grant can become active, and never pending again.
        row.pending = row.pending and fields.get("pending", row.pending)

    def _check_size(self, held: Fields, fields: Fields) -> None:
        """BadRecord: with the content of this record the grant would hold more than it may."""
        most, given = (
            app_settings.max_grant_content,
            [name for name in self.texts if name in fields],
        )
        size = sum(len((held | fields).get(name, "")) for name in self.texts)
        if given and size > most:
            raise BadRecord(f"the grant would hold more than {most} bytes of content")


_SHOW: Final[dict[str, Callable[[Any], str]]] = {
    "scopes": content.show_scopes,
    "claims": content.show_claims,
    "authorization_details": content.show_details,
}


class TokenKind(Kind):
    """`{"type":"access_token","service":…,"client_id":…,"token":…}`; refresh tokens alike."""

    model: ClassVar[type[AccessToken | RefreshToken]]
    generation: ClassVar[str]
    """The grant's column with the generation of its active tokens of this kind."""
    members: ClassVar[tuple[Field, ...]] = (
        m.SERVICE_ID.named("service"),
        m.CLIENT_ID,
        m.GRANT_ID.or_null(),
        m.SUBJECT.or_null(),
        m.TOKEN,
        m.TOKEN_SHA256,
        m.TOKEN_SCOPES.or_null(),
        m.ISSUED_AT,
        m.ENDS_AT.or_null(),
        m.REVOKED_AT.or_null(),
        m.GENERATION,
        m.CNF.or_null(),
    )
    required = frozenset({"service", "client_id"})
    refers = ("service", "client", "grant")
    stamps = ("issued_at", "expires_at", "revoked_at")
    updated: ClassVar[tuple[str, ...]] = ("scopes", *stamps, "jkt", "x5t_s256")

    def read(self, record: Mapping[str, Any]) -> Fields:
        """The fields, with `digest` for the token, and `jkt` and `x5t_s256` for `cnf`."""
        fields = digest_of(super().read(record))
        fields.update(fields.pop("cnf", None) or {})
        if "scopes" in fields:
            fields["scopes"] = " ".join(fields["scopes"] or ())
        return fields

    def key(self, fields: Fields) -> Key:
        """Its service and digest."""
        return (fields["service"].pk, fields["digest"])

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The tokens by service and digest, locked."""
        services, digests = zip(*keys, strict=True)
        rows = self.model._default_manager.select_for_update(of=("self",))
        rows = rows.select_related("client", "grant")
        rows = rows.filter(any_of("service_id", services), any_of("digest", digests))
        return {(row.service_id, bytes(row.digest)): row for row in rows.order_by("pk")}

    def create(self, fields: Fields, now: datetime) -> AccessToken | RefreshToken:
        """A new token. BadRecord: its grant is another client's, or its generation is above the
        grant's, so that a later merge or replace would make it active.
        """
        grant = fields.get("grant")
        if grant is not None and grant.client_id != fields["client"].pk:
            raise BadRecord("its grant is another client's")
        if grant is not None and fields.get("generation", 0) > getattr(grant, self.generation):
            raise BadRecord("'generation' must not be above its grant's")
        return new(self.model, {"issued_at": now, **fields})

    def update(self, row: AccessToken | RefreshToken, fields: Fields, now: datetime) -> None:
        """Update its scopes and its times; a binding can be added, and never changed.

        Its generation stays: another one could bring a dead token back to life.
        """
        keep(row, fields, "client", "subject", "grant")
        keep(row, fields, *(name for name in ("jkt", "x5t_s256") if getattr(row, name)))
        assign(row, fields, "scopes", "jkt", "x5t_s256")
        earliest(row, fields, "issued_at", "revoked_at")
        expire(row, fields, now)


class AccessTokenKind(TokenKind):
    """An access token."""

    name = "access_token"
    model = AccessToken
    generation = "access_generation"


class RefreshTokenKind(TokenKind):
    """A refresh token, with the time of its rotation and its family."""

    name = "refresh_token"
    model = RefreshToken
    generation = "refresh_generation"
    members = (*TokenKind.members, m.ROTATED_AT.or_null(), m.FAMILY)
    updated = (*TokenKind.updated, "rotated_at")

    def update(self, row: AccessToken | RefreshToken, fields: Fields, now: datetime) -> None:
        """As for other tokens; a rotation is never undone."""
        super().update(row, fields, now)
        earliest(row, fields, "rotated_at")
