"""Copies of rows in a second database, for services that live apart (`db.apart`).

A foreign key needs its row in the same database. So a service's own database has copies of its
organization and of the API tokens that its rows refer to, and the first database has a copy of each
service. Nothing is decided by a copy, and each is written by a function here alone. Without a map
none of them does anything.
"""

from datetime import UTC, datetime
from typing import Any, Final

from django.db import Error, IntegrityError, models

from ..db import apart, primary
from ..db.failures import settle, tell
from ..protocol.digests import sha256

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


def of_service(service: models.Model) -> None:
    """Write a service to the first database too, within the transaction that changed it.

    IntegrityError: another organization has a service of this number.
    """
    if not apart.is_away():
        return
    rows = type(service)._base_manager
    row: Any = rows.get(pk=service.pk)
    there = rows.using(apart.first()).filter(pk=row.pk)
    if there.exclude(organization_id=row.organization_id).exists():
        raise IntegrityError("The number of the service is taken.")
    with primary.atomic_in_first():
        _write(row, apart.first())


def of_organization(organization: models.Model) -> None:
    """Write an organization to the database in view too, before a row there refers to it."""
    if apart.is_away():
        _write(organization, primary.alias())


def of_api_token(api_token: models.Model) -> None:
    """Write what a foreign key needs of an API token to the database in view.

    It has no digest of a credential, and it is revoked: should anything decide by it, it refuses.
    """
    if apart.is_away():
        texts = dict.fromkeys(("prefix", "description", "created_by", "last_used_from"), "")
        digest = sha256(f"copy of {api_token.pk}")
        given = {"service_id": None, "digest": digest, "created_at": NEVER, "revoked_at": NEVER}
        _write(api_token, primary.alias(), **given, **texts)


def renamed(organization: models.Model) -> None:
    """Write an organization to each database that has a copy, once its change is committed.

    A database that is away keeps the old name, which only pages show; `doctor` tells it.
    """
    for alias in apart.databases()[1:] if apart.is_on() else ():
        try:
            if type(organization)._base_manager.using(alias).filter(pk=organization.pk).exists():
                _write(organization, alias)
        except Error as error:
            tell(error, settle(error, alias), "The copy of an organization's name")


def _write(row: models.Model, alias: str, **others: Any) -> None:
    """Insert a row into a database, or update it: 1 statement."""
    fields = row._meta.concrete_fields
    names = [one.attname for one in fields if one.attname not in others]
    values = {name: getattr(row, name) for name in names} | others
    type(row)._base_manager.using(alias).bulk_create(
        [type(row)(**values)],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[one.name for one in fields if not one.primary_key],
    )


def differing(model: type[models.Model], alias: str, names: tuple[str, ...]) -> list[Any]:
    """The keys of the rows of a database whose copy in the first one is missing or another."""
    here = _rows(model, alias, names)
    there = _rows(model, apart.first(), names)
    return [key for key, values in here.items() if there.get(key) != values]


def _rows(model: type[models.Model], alias: str, names: tuple[str, ...]) -> dict[Any, Any]:
    rows = model._base_manager.using(alias).order_by().values_list("pk", *names)
    return {key: values for key, *values in rows}
