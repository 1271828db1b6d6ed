"""What an import does more where services live apart (`db.apart`)."""

from collections.abc import Iterable
from typing import Any

from ..db import apart
from ..models import Service, copies
from .record import BadRecord, Fields, Kind


def check_is_here(kind: Kind, fields: Fields) -> None:
    """BadRecord: the record is a service of another database than the one in view."""
    is_service = kind.model is Service and apart.is_on()
    if is_service and apart.database_of(fields["id"]) != apart.in_view():
        raise BadRecord("its database is another: import it with --service")


def copy(kind: Kind, rows: Iterable[Any]) -> None:
    """Write the copies of rows that were written, before others refer to them."""
    if kind.model is Service and apart.is_away():
        for row in rows:
            copies.of_organization(row.organization)
            row.copy()
