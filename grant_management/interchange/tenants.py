"""Organizations, services, API tokens and clients as records."""

import copy
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError

from .. import members as m
from ..members import Reader
from ..models import ApiToken, Client, Organization, Service
from .kind import (
    BadRecord,
    Fields,
    Key,
    Kind,
    assign,
    digest_of,
    earliest,
    expire,
    keep,
    latest,
    not_later,
)


class OrganizationKind(Kind):
    """`{"type":"organization","id":…,"name":…}`."""

    name = "organization"
    model = Organization
    readers = {"id": m.identifier, "name": m.text(255)}
    required = frozenset(readers)
    updated = ("name",)

    def key(self, fields: Fields) -> Key:
        """Its number."""
        return (fields["id"],)

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """By number."""
        numbers = [key[0] for key in keys]
        rows = Organization.objects.select_for_update().filter(pk__in=numbers)
        return {(row.pk,): row for row in rows}

    def create(self, fields: Fields, now: datetime) -> Organization:
        """As it is."""
        return Organization(**fields)

    def update(self, row: Organization, fields: Fields, now: datetime) -> None:
        """Its name."""
        assign(row, fields, "name")


_SECONDS = m.integer(0, 2**31 - 1)


class ServiceKind(Kind):
    """`{"type":"service","id":…,"organization":…,"name":…}` and every setting."""

    name = "service"
    model = Service
    settings: Final[Mapping[str, Reader]] = {
        "name": m.text(255),
        "grant_management_endpoint": m.text(2000, shortest=0),
        "dpop_nonce_required": m.flag,
        "dpop_nonce_duration": _SECONDS,
        "dpop_signing_algs": m.names,
        "dpop_max_age": _SECONDS,
        "dpop_clock_skew": _SECONDS,
        "ownership": m.text(20),
        "revoke_access_tokens": m.flag,
        "show_timestamps": m.flag,
        "actions_supported": m.names,
        "action_required": m.flag,
        "access_token_duration": _SECONDS,
        "refresh_token_duration": _SECONDS,
        "call_log_size": _SECONDS,
        "track_last_used": m.flag,
        "realm": m.text(255, shortest=0),
    }
    readers = {
        "id": m.identifier,
        "organization": m.identifier,
        "not_before": m.optional(m.moment),
        **settings,
    }
    required = frozenset({"id", "organization", "name"})
    refers = ("organization",)
    updated = ("not_before", *settings)

    def key(self, fields: Fields) -> Key:
        """Its number."""
        return (fields["id"],)

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """By number."""
        numbers = [key[0] for key in keys]
        rows = Service.objects.select_for_update().filter(pk__in=numbers)
        return {(row.pk,): row for row in rows}

    def create(self, fields: Fields, now: datetime) -> Service:
        """As it is, where the model agrees."""
        not_later(fields, "not_before", now)
        service = Service(**fields)
        self._validate(service)
        return service

    def update(self, row: Service, fields: Fields, now: datetime) -> None:
        """Its settings; its cut-off only forward."""
        keep(row, fields, "organization")
        not_later(fields, "not_before", now)
        changed = copy.copy(row)
        assign(changed, fields, *self.settings)
        self._validate(changed)
        assign(row, fields, *self.settings)
        latest(row, fields, "not_before")

    def _validate(self, service: Service) -> None:
        try:
            service.clean_fields(exclude=["organization"])
        except ValidationError as error:
            name, messages = next(iter(error.message_dict.items()))
            raise BadRecord(f"{name!r}: {messages[0]}") from None


class ApiTokenKind(Kind):
    """`{"type":"api_token","kind":"service","service":…,"token":…}` or of an organization."""

    name = "api_token"
    model = ApiToken
    readers = {
        "id": m.identity,
        "kind": m.text(20),
        "service": m.identifier,
        "organization": m.identifier,
        "token": m.clear_value,
        "token_sha256": m.hex_digest,
        "prefix": m.text(16, shortest=0),
        "description": m.text(255, shortest=0),
        "can_manage_tokens": m.flag,
        "created_at": m.moment,
        "created_by": m.text(255, shortest=0),
        "expires_at": m.optional(m.moment),
        "revoked_at": m.optional(m.moment),
    }
    required = frozenset({"kind"})
    refers = ("service", "organization")
    updated = ("description", "can_manage_tokens", "expires_at", "revoked_at")

    def read(self, record: Mapping[str, Any]) -> Fields:
        """With `digest`, and the owner that its kind has."""
        fields = digest_of(super().read(record))
        kind = fields.pop("kind")
        owners = {"service", "organization"} & fields.keys()
        if kind not in ("service", "organization") or owners != {kind}:
            raise BadRecord("'kind' must be service or organization, with the number of that one")
        if kind == "service" and fields.get("can_manage_tokens"):
            raise BadRecord("only an organization token can manage tokens")
        return fields

    def key(self, fields: Fields) -> Key:
        """Its digest."""
        return (fields["digest"],)

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """By digest."""
        digests = [key[0] for key in keys]
        rows = ApiToken.objects.select_for_update().filter(digest__in=digests)
        return {(bytes(row.digest),): row for row in rows}

    def create(self, fields: Fields, now: datetime) -> ApiToken:
        """With its service's organization."""
        if "service" in fields:
            fields = {**fields, "organization_id": fields["service"].organization_id}
        return ApiToken(**{"created_at": now, **fields})

    def update(self, row: ApiToken, fields: Fields, now: datetime) -> None:
        """What it may do and how long; never whose it is."""
        if (row.kind == "service") != ("service" in fields):
            raise BadRecord("'kind' of a known record cannot change")
        keep(row, fields, "id", "service", "organization")
        assign(row, fields, "description", "can_manage_tokens")
        earliest(row, fields, "revoked_at")
        expire(row, fields, now)


class ClientKind(Kind):
    """`{"type":"client","service":…,"client_id":…}`."""

    name = "client"
    model = Client
    readers = {
        "id": m.client_number,
        "service": m.identifier,
        "client_id": m.text(255),
        "name": m.text(255, shortest=0),
        "not_before": m.optional(m.moment),
        "locked_at": m.optional(m.moment),
    }
    required = frozenset({"service", "client_id"})
    refers = ("service",)
    updated = ("name", "not_before", "locked_at")

    def key(self, fields: Fields) -> Key:
        """Its service and client ID."""
        return (fields["service"].pk, fields["client_id"])

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """By service and client ID."""
        services, client_ids = zip(*keys, strict=True)
        rows = Client.objects.select_for_update(of=("self",)).select_related("service")
        rows = rows.filter(service__in=set(services), client_id__in=set(client_ids))
        return {(row.service_id, row.client_id): row for row in rows}

    def create(self, fields: Fields, now: datetime) -> Client:
        """As it is."""
        not_later(fields, "not_before", now)
        return Client(**fields)

    def update(self, row: Client, fields: Fields, now: datetime) -> None:
        """Its name; its lock and cut-off only the hard way."""
        keep(row, fields, "id")
        not_later(fields, "not_before", now)
        assign(row, fields, "name")
        latest(row, fields, "not_before")
        earliest(row, fields, "locked_at")
