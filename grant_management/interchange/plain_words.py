"""Descriptions, profiles and logos of clients as records."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ..db.of_service import these
from ..fields import members as m
from ..models import ClientProfile, Described, Description, Logo
from .record import BadRecord, Fields, Key, Kind, assign


class DescriptionKind(Kind):
    """`{"type":"description","service":…,"scope":…,"texts":[…]}`, or of an `authorization_type`."""

    name = "description"
    model = Description
    members = (
        m.SERVICE_ID.named("service"),
        m.SCOPE,
        m.AUTHORIZATION_TYPE,
        m.SENSITIVITY,
        m.DESCRIPTION_TEXTS,
    )
    required = frozenset({"service"})
    refers = ("service",)
    updated = ("sensitivity", "texts")

    def read(self, record: Mapping[str, Any]) -> Fields:
        """The fields, with `kind` and `name` for what is described."""
        fields = super().read(record)
        kinds = [kind for kind in Described if kind in fields]
        if len(kinds) != 1:
            raise BadRecord("give either 'scope' or 'authorization_type'")
        return {**fields, "kind": kinds[0].value, "name": fields.pop(kinds[0].value)}

    def key(self, fields: Fields) -> Key:
        """Its service, its kind and its name."""
        return (fields["service"].pk, fields["kind"], fields["name"])

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The descriptions by service, kind and name, locked."""
        services, _kinds, names = zip(*keys, strict=True)
        rows = Description.objects.select_for_update()
        rows = rows.filter(service__in=set(services), name__in=set(names))
        return {(row.service_id, row.kind, row.name): row for row in rows.order_by("pk")}

    def create(self, fields: Fields, now: datetime) -> Description:
        """A new description."""
        return Description(**{name: one for name, one in fields.items() if name not in Described})

    def update(self, row: Description, fields: Fields, now: datetime) -> None:
        """Update its texts and its sensitivity."""
        assign(row, fields, *self.updated)


class OfClient(Kind):
    """A kind with one row for each client, which has the client's key."""

    refers = ("service", "client")

    def key(self, fields: Fields) -> Key:
        """Its service and its client."""
        return fields["service"].pk, fields["client"].pk

    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The rows by service and client, locked."""
        rows = self.model._default_manager.select_for_update()
        found = these(rows, ((client, service) for service, client in keys))
        return {(row.service_id, row.pk): row for row in found.order_by("pk")}

    def create(self, fields: Fields, now: datetime) -> Any:
        """A new row."""
        return self.model(**fields)


class ClientProfileKind(OfClient):
    """`{"type":"client_profile","service":…,"client_id":…,"texts":[…]}`."""

    name = "client_profile"
    model = ClientProfile
    members = (m.SERVICE_ID.named("service"), m.CLIENT_ID, m.PROFILE_TEXTS)
    required = frozenset({"service", "client_id", "texts"})
    updated = ("texts",)

    def update(self, row: ClientProfile, fields: Fields, now: datetime) -> None:
        """Update its texts."""
        assign(row, fields, "texts")


class LogoKind(OfClient):
    """`{"type":"logo","service":…,"client_id":…,"logo":"<base64>"}`."""

    name = "logo"
    model = Logo
    members = (m.SERVICE_ID.named("service"), m.CLIENT_ID, m.LOGO)
    required = frozenset({"service", "client_id", "logo"})
    updated = ("content", "digest")

    def read(self, record: Mapping[str, Any]) -> Fields:
        """The fields, with the picture and its digest."""
        fields = super().read(record)
        content = fields.pop("logo")
        if not content:
            raise BadRecord("'logo' is empty")
        return {**fields, "content": content, "digest": hashlib.sha256(content).digest()}

    def update(self, row: Logo, fields: Fields, now: datetime) -> None:
        """Replace the picture."""
        if bytes(row.digest) != fields["digest"]:
            assign(row, fields, *self.updated)
