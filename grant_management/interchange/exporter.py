"""The export: all rows as one record a line, with digests instead of token values."""

import base64
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db import models

from ..models import (
    AccessToken,
    ApiToken,
    Client,
    ClientProfile,
    Description,
    Grant,
    Logo,
    Organization,
    RefreshToken,
    Service,
)
from ..models.api_token import RIGHTS
from ..models.grant import CONTENT
from ..protocol import times
from ..protocol.strict_json import Literal, dumps
from .tenants import ServiceKind

CHUNK: Final = 2_000
CHUNK_OF_GRANTS: Final = 200
"""Rows in memory at a time: fewer of grants and logos, whose contents can be long."""


def total(service: Service | None) -> int:
    """The number of records of an export; None: of all services."""
    return sum(rows.count() for rows in _rows(service))


def records(service: Service | None) -> Iterator[str]:
    """The lines of an export, without the end record; None: of all services.

    An export of one service has its organization too, but no organization tokens.
    """
    for rows in _rows(service):
        size = CHUNK_OF_GRANTS if rows.model in (Grant, Logo) else CHUNK
        for row in rows.iterator(chunk_size=size):
            yield dumps(_compact(_RECORDS[type(row)](row)))


def _rows(service: Service | None) -> "list[models.QuerySet[Any]]":
    """The query sets of an export, each after those that its records refer to: one for each kind
    of record and service.
    """
    tenants: list[models.QuerySet[Any]] = [
        Organization.objects.order_by("pk"),
        Service.objects.order_by("pk"),
        ApiToken.objects.order_by("pk"),
    ]
    if service is not None:
        tenants = [
            tenants[0].filter(services=service),
            tenants[1].filter(pk=service.pk),
            tenants[2].filter(service=service),
        ]
    owned: list[models.QuerySet[Any]] = [
        Description.objects.order_by("pk"),
        Client.objects.order_by("pk"),
        *(
            model._default_manager.select_related("client").order_by("pk")
            for model in (ClientProfile, Logo)
        ),
        Grant.objects.select_related("client").order_by("pk"),
        *(
            model._default_manager.select_related("client", "grant")
            # Of its grant a token's record needs the grant ID alone.
            .defer(*(f"grant__{column}" for column in CONTENT))
            .order_by("pk")
            for model in (AccessToken, RefreshToken)
        ),
    ]
    services = [service.pk] if service else list(tenants[1].values_list("pk", flat=True))
    return tenants + [rows.filter(service=one) for rows in owned for one in services]


def _compact(record: dict[str, Any]) -> dict[str, Any]:
    """The record without members that are None, "" or {}."""
    return {name: value for name, value in record.items() if value not in (None, "", {})}


def _time(at: datetime | None) -> Literal | None:
    """A NumericDate, to the microsecond."""
    return None if at is None else Literal(times.exact_seconds(at))


def _literal(text: str) -> Literal | None:
    """JSON text that goes out as it is stored."""
    return Literal(text) if text else None


def _organization(row: Organization) -> dict[str, Any]:
    return {"type": "organization", "id": row.pk, "name": row.name}


def _service(row: Service) -> dict[str, Any]:
    return {
        "type": "service",
        "id": row.pk,
        "organization": row.organization_id,
        **{name: getattr(row, name) for name in ServiceKind.settings},
        "not_before": _time(row.not_before),
        "deleted_at": _time(row.deleted_at),
    }


def _api_token(row: ApiToken) -> dict[str, Any]:
    owner = row.service_id if row.kind == "service" else row.organization_id
    return {
        "type": "api_token",
        "id": str(row.pk),
        "kind": row.kind,
        row.kind: owner,
        "token_sha256": bytes(row.digest).hex(),
        "prefix": row.prefix,
        "description": row.description,
        **{name: getattr(row, name) for name in RIGHTS},
        "created_at": _time(row.created_at),
        "created_by": row.created_by,
        "expires_at": _time(row.expires_at),
        "revoked_at": _time(row.revoked_at),
    }


def _client(row: Client) -> dict[str, Any]:
    return {
        "type": "client",
        "service": row.service_id,
        "id": row.pk,
        "client_id": row.client_id,
        "name": row.name,
        "not_before": _time(row.not_before),
        "locked_at": _time(row.locked_at),
        "deleted_at": _time(row.deleted_at),
    }


def _description(row: Description) -> dict[str, Any]:
    return {
        "type": "description",
        "service": row.service_id,
        row.kind: row.name,
        "sensitivity": row.sensitivity,
        "texts": row.texts,
    }


def _client_profile(row: ClientProfile) -> dict[str, Any]:
    return {**_of_client("client_profile", row), "texts": row.texts}


def _logo(row: Logo) -> dict[str, Any]:
    return {**_of_client("logo", row), "logo": base64.b64encode(bytes(row.content)).decode()}


def _of_client(kind: str, row: ClientProfile | Logo) -> dict[str, Any]:
    return {"type": kind, "service": row.service_id, "client_id": row.client.client_id}


def _grant(row: Grant) -> dict[str, Any]:
    return {
        "type": "grant",
        "service": row.service_id,
        "client_id": row.client.client_id,
        "grant_id": row.grant_id,
        "subject": row.subject,
        "scopes": _literal(row.scopes),
        "claims": _literal(row.claims),
        "authorization_details": _literal(row.authorization_details),
        "created_at": _time(row.created_at),
        "last_updated_at": _time(row.last_updated_at),
        "updated_by": row.updated_by,
        "expires_at": _time(row.expires_at),
        "revoked_at": _time(row.revoked_at),
        "pending": row.pending,
        "access_generation": row.access_generation,
        "refresh_generation": row.refresh_generation,
    }


def _token(row: AccessToken | RefreshToken) -> dict[str, Any]:
    cnf = {"jkt": row.jkt, "x5t#S256": row.x5t_s256}
    return {
        "type": "access_token",
        "service": row.service_id,
        "client_id": row.client.client_id,
        "grant_id": row.grant.grant_id if row.grant else None,
        "subject": row.subject,
        "token_sha256": bytes(row.digest).hex(),
        "scopes": row.scopes.split(" ") if row.scopes else None,
        "issued_at": _time(row.issued_at),
        "expires_at": _time(row.expires_at),
        "revoked_at": _time(row.revoked_at),
        "generation": row.generation,
        "cnf": {name: value for name, value in cnf.items() if value},
    }


def _refresh_token(row: RefreshToken) -> dict[str, Any]:
    rotation = {"rotated_at": _time(row.rotated_at), "family": str(row.family)}
    return {**_token(row), "type": "refresh_token", **rotation}


_RECORDS: Final[dict[type[models.Model], Any]] = {
    Organization: _organization,
    Service: _service,
    ApiToken: _api_token,
    Client: _client,
    ClientProfile: _client_profile,
    Description: _description,
    Logo: _logo,
    Grant: _grant,
    AccessToken: _token,
    RefreshToken: _refresh_token,
}
