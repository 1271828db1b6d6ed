"""Organizations, services, API tokens and clients as records."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ..fields import members as m
from ..models import ApiToken, Client, Organization, Service
from ..models.api_token import OF_ORGANIZATIONS, RIGHTS
from .record import (
    BadRecord,
    Fields,
    Key,
    Kind,
    assign,
    digest_of,
    earliest,
    ended,
    expire,
    keep,
    latest,
)


class OrganizationKind(Kind):
    """`{"type":"organization","id":…,"name":…}`."""

    name = "organization"
    model = Organization
    members = (m.ORGANIZATION_ID, m.NAME)
    required = frozenset({"id", "name"})
    updated = ("name",)

    def key(self, fields: Fields) -> Key:
        """Its number, `id`."""
        return (fields["id"],)

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The organizations by number, locked."""
        numbers = [key[0] for key in keys]
        rows = Organization.objects.select_for_update().filter(pk__in=numbers)
        return {(row.pk,): row for row in rows.order_by("pk")}

    def create(self, fields: Fields, now: datetime) -> Organization:
        """A new organization."""
        return Organization(**fields)

    def update(self, row: Organization, fields: Fields, now: datetime) -> None:
        """Update its name."""
        assign(row, fields, "name")


class ServiceKind(Kind):
    """`{"type":"service","id":…,"organization":…,"name":…}` and every setting."""

    name = "service"
    model = Service
    settings = tuple(setting.name for setting in m.SETTINGS)
    members = (
        m.SERVICE_ID,
        m.ORGANIZATION_ID.named("organization"),
        m.NOT_BEFORE.or_null(),
        m.DELETED_AT.or_null(),
        *m.SETTINGS,
    )
    required = frozenset({"id", "organization", "name"})
    refers = ("organization",)
    updated = ("not_before", "deleted_at", *settings)

    def key(self, fields: Fields) -> Key:
        """Its number, `id`."""
        return (fields["id"],)

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The services by number, locked."""
        numbers = [key[0] for key in keys]
        rows = Service.objects.select_for_update().filter(pk__in=numbers)
        return {(row.pk,): row for row in rows.order_by("pk")}

    def create(self, fields: Fields, now: datetime) -> Service:
        """A new service; settings that the record lacks have their defaults."""
        return ended(Service(**fields))

    def update(self, row: Service, fields: Fields, now: datetime) -> None:
        """Update its settings; its cut-off only moves forward, and what was deleted stays so."""
        keep(row, fields, "organization")
        assign(row, fields, *self.settings)
        latest(row, fields, "not_before")
        earliest(row, fields, "deleted_at")
        ended(row)


class ApiTokenKind(Kind):
    """`{"type":"api_token","kind":"service","service":…,"token":…}`, or of an organization."""

    name = "api_token"
    model = ApiToken
    members = (
        m.API_TOKEN_ID,
        m.API_TOKEN_KIND,
        m.SERVICE_ID.named("service"),
        m.ORGANIZATION_ID.named("organization"),
        m.TOKEN,
        m.TOKEN_SHA256,
        m.PREFIX,
        m.DESCRIPTION,
        *m.RIGHTS,
        m.CREATED_AT,
        m.CREATED_BY,
        m.ENDS_AT.or_null(),
        m.REVOKED_AT.or_null(),
    )
    required = frozenset({"kind"})
    refers = ("service", "organization")
    updated = ("description", *RIGHTS, "expires_at", "revoked_at")

    def read(self, record: Mapping[str, Any]) -> Fields:
        """The fields, with `digest` for the token, and the owner that `kind` names."""
        fields = digest_of(super().read(record))
        kind = fields.pop("kind")
        owners = {"service", "organization"} & fields.keys()
        if owners != {kind}:
            raise BadRecord(
                f"a token of the kind {kind} has the number of its {kind}, and no other"
            )
        if kind == "service" and any(fields.get(name) for name in OF_ORGANIZATIONS):
            raise BadRecord("only an organization token can manage tokens or services")
        return fields

    def key(self, fields: Fields) -> Key:
        """Its digest."""
        return (fields["digest"],)

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The API tokens by digest, locked."""
        digests = [key[0] for key in keys]
        rows = ApiToken.objects.select_for_update().filter(digest__in=digests)
        return {(bytes(row.digest),): row for row in rows.order_by("pk")}

    def create(self, fields: Fields, now: datetime) -> ApiToken:
        """A new API token; a service token belongs to the organization of its service."""
        if "service" in fields:
            fields = {**fields, "organization_id": fields["service"].organization_id}
        return ApiToken(**{"created_at": now, **fields})

    def update(self, row: ApiToken, fields: Fields, now: datetime) -> None:
        """Update its description, rights and end; its owner never changes."""
        if (row.kind == "service") != ("service" in fields):
            raise BadRecord("'kind' of an existing record cannot change")
        keep(row, fields, "id", "service", "organization")
        assign(row, fields, "description", *RIGHTS)
        earliest(row, fields, "revoked_at")
        expire(row, fields, now)


class ClientKind(Kind):
    """`{"type":"client","service":…,"client_id":…}`."""

    name = "client"
    model = Client
    members = (
        m.CLIENT_NUMBER,
        m.SERVICE_ID.named("service"),
        m.CLIENT_ID,
        m.CLIENT_NAME,
        m.NOT_BEFORE.or_null(),
        m.LOCKED_AT.or_null(),
        m.DELETED_AT.or_null(),
    )
    required = frozenset({"service", "client_id"})
    refers = ("service",)
    updated = ("name", "not_before", "locked_at", "deleted_at")

    def key(self, fields: Fields) -> Key:
        """Its service and client ID."""
        return (fields["service"].pk, fields["client_id"])

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The clients by service and client ID, locked."""
        services, client_ids = zip(*keys, strict=True)
        rows = Client.objects.select_for_update(of=("self",)).select_related("service")
        rows = rows.filter(service__in=set(services), client_id__in=set(client_ids))
        return {(row.service_id, row.client_id): row for row in rows.order_by("pk")}

    def create(self, fields: Fields, now: datetime) -> Client:
        """A new client."""
        return ended(Client(**fields))

    def update(self, row: Client, fields: Fields, now: datetime) -> None:
        """Update its name. A lock is never removed, the cut-off only moves forward, and what was
        deleted stays so.
        """
        keep(row, fields, "id")
        assign(row, fields, "name")
        latest(row, fields, "not_before")
        earliest(row, fields, "locked_at", "deleted_at")
        ended(row)
