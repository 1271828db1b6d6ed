"""The rows that records refer to, looked up many at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import models

from ..db.any_of import any_of
from ..models import Client, Grant, Organization, Service
from .record import BadRecord, Fields, Key

REMEMBERED_CLIENTS: Final = 50_000
"""Clients that are kept for the next batch, at most; more are dropped and looked up again."""


THERE: Final = 0
"""The line of a row that the database had before the batch."""
_SOURCES: Final[dict[str, tuple[type[models.Model], tuple[str, ...], tuple[str, ...]]]] = {
    "organization": (Organization, ("pk",), ("organization",)),
    "service": (Service, ("pk",), ("service",)),
    "client": (Client, ("service_id", "client_id"), ("service", "client_id")),
    "grant": (Grant, ("service_id", "grant_id"), ("service", "grant_id")),
}
"""For each reference its model, the columns of its key, and the members that name it."""


@dataclass
class References:
    """The rows that the records of one batch refer to, and the lines that defined them.

    A row that existed before has line 0 (`THERE`), so that every record may refer to it.
    """

    organizations: dict[Key, Any] = field(default_factory=dict)
    services: dict[Key, Any] = field(default_factory=dict)
    clients: dict[Key, Any] = field(default_factory=dict)
    grants: dict[Key, Any] = field(default_factory=dict)
    lines: dict[tuple[str, Key], int] = field(default_factory=dict)

    def of_next_batch(self) -> "References":
        """References that keep the tenants and clients: grants are many, and rarely come again."""
        if len(self.clients) > REMEMBERED_CLIENTS:
            self.clients.clear()
        return References(self.organizations, self.services, self.clients)

    def load(self, names: Iterable[str], records: list[Fields]) -> None:
        """Look up the rows that these records refer to, unless known: at most 1 query per name."""
        for name in names:
            model, columns, members = _SOURCES[name]
            _load(getattr(self, f"{name}s"), model, columns, _keys(records, *members))

    def resolve(self, line: int, fields: Fields, *names: str) -> Fields:
        """The fields with rows for the references `names`. BadRecord: one is not defined before."""
        resolved = dict(fields)
        service = fields.get("service")
        if "organization" in names and "organization" in fields:
            number = fields["organization"]
            resolved["organization"] = self._row("organization", (number,), line)
        if "service" in names and "service" in fields:
            resolved["service"] = self._row("service", (service,), line)
        if "client" in names:
            resolved["client"] = self._row("client", (service, resolved.pop("client_id")), line)
        if "grant" in names and "grant_id" in fields:
            grant_id = resolved.pop("grant_id")
            key = (service, grant_id)
            resolved["grant"] = None if grant_id is None else self._row("grant", key, line)
        return resolved

    def define(self, name: str, key: Key, row: Any, line: int) -> None:
        """Add a row that is defined on this line of the batch, or was `THERE` before it."""
        known: dict[Key, Any] = getattr(self, f"{name}s", {})
        if key not in known:
            self.lines[name, key] = line
        known[key] = row

    def _row(self, name: str, key: Key, line: int) -> Any:
        row = getattr(self, f"{name}s").get(key)
        if row is None or self.lines.get((name, key), THERE) > line:
            raise BadRecord(f"its {name} is not defined on an earlier line")
        return row


def _keys(records: list[Fields], *names: str) -> set[Key]:
    columns = ([fields.get(name) for fields in records] for name in names)
    return {key for key in zip(*columns, strict=True) if None not in key}


def _load(known: dict[Key, Any], model: Any, columns: tuple[str, ...], keys: set[Key]) -> None:
    missing = keys - known.keys()
    if not missing:
        return
    values = zip(*missing, strict=True)
    given = [any_of(column, ones) for column, ones in zip(columns, values, strict=True)]
    rows = model._default_manager.filter(*given)
    if model is Grant:  # its contents can be long, and no check of a token needs them
        rows = rows.with_content()
    # Conditions on single columns also find pairs that were not asked for.
    for row in rows:
        key = tuple(getattr(row, column) for column in columns)
        if key in missing:
            known[key] = row
