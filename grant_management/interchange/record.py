"""A kind of record: its members, its key, and the rules by which an existing row is updated.

Nothing comes back to life: the time of a revocation only moves earlier, and the owner of a token or
a grant never changes.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, TypeVar

from django.db import models

from ..fields.field import Field
from ..fields.numeric import Time
from ..models.cut_off import CutOff
from ..protocol.digests import sha256

LONGEST_NAME: Final = 100
"""Characters of an unknown member's name that an error quotes."""

C = TypeVar("C", bound=CutOff)
Fields = dict[str, Any]
Key = tuple[Any, ...]


class BadRecord(ValueError):
    """The record is refused. The message says why, and quotes no credential."""


class Kind(ABC):
    """One kind of record: how it is read, looked up, created and updated.

    `refers` names its references, `updated` the columns that an update may write.
    """

    name: ClassVar[str]
    model: ClassVar[type[models.Model]]
    members: ClassVar[tuple[Field, ...]]
    required: ClassVar[frozenset[str]]
    refers: ClassVar[tuple[str, ...]] = ()
    updated: ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        self._members = {member.name: member for member in self.members}
        self._judged = [one for one in self.members if isinstance(one, Time)]

    def read(self, record: Mapping[str, Any]) -> Fields:
        """The record's fields. BadRecord: a member is unknown, missing, or not acceptable."""
        given = {name: value for name, value in record.items() if name != "type"}
        if unknown := given.keys() - self._members.keys():
            raise BadRecord(f"unknown member {min(unknown)[:LONGEST_NAME]!r}")
        if missing := self.required - given.keys():
            raise BadRecord(f"member {min(missing)!r} is missing")
        return self._values(given)

    def judge(self, fields: Fields, now: datetime) -> None:
        """BadRecord: a time that has to be in the past is in the future."""
        try:
            for member in self._judged:
                member.judge(fields.get(member.name), now)
        except ValueError as error:
            raise BadRecord(f"{member.name!r} {error}") from None

    def _values(self, given: Mapping[str, Any]) -> Fields:
        name, fields = "", {}
        try:
            for name, value in given.items():
                fields[name] = self._members[name].take(value)
        except ValueError as error:
            raise BadRecord(f"{name!r} {error}") from None
        return fields

    @abstractmethod
    def key(self, fields: Fields) -> Key:
        """The unique key of the record's row, from resolved fields."""

    @abstractmethod
    def known(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The existing rows of these keys, locked against a concurrent revoke."""

    @abstractmethod
    def create(self, fields: Fields, now: datetime) -> Any:
        """A new row, not saved yet. BadRecord: the record breaks a rule of its kind."""

    @abstractmethod
    def update(self, row: Any, fields: Fields, now: datetime) -> None:
        """Change an existing row, not saved yet. BadRecord: a column that never changes would."""


def keep(row: Any, fields: Fields, *names: str) -> None:
    """BadRecord: the record gives another value to one of these columns, which never change."""
    for name in names:
        if name in fields and fields[name] != getattr(row, name):
            raise BadRecord(f"{name!r} of an existing record cannot change")


def assign(row: Any, fields: Fields, *names: str) -> None:
    """Set those of these columns that the record gives."""
    for name in names:
        if name in fields:
            setattr(row, name, fields[name])


def earliest(row: Any, fields: Fields, *names: str) -> None:
    """Set times that are never cleared and never move later: the earlier one stays."""
    for name in names:
        stamps = [stamp for stamp in (getattr(row, name), fields.get(name)) if stamp is not None]
        setattr(row, name, min(stamps, default=None))


def latest(row: Any, fields: Fields, name: str) -> None:
    """Set a time or a number that never goes back: the greater one stays."""
    values = [value for value in (getattr(row, name), fields.get(name)) if value is not None]
    setattr(row, name, max(values, default=None))


def ended(row: C) -> C:
    """The row; where it is deleted, also cut off from then on, and locked where it can be."""
    if row.deleted_at is not None:
        for name, value in row.end_by(row.deleted_at).items():
            setattr(row, name, value)
    return row


def expire(row: Any, fields: Fields, now: datetime) -> None:
    """Set an expiry as the record gives it; one that has passed can only move earlier."""
    if row.expires_at is None or row.expires_at > now:
        assign(row, fields, "expires_at")
    elif fields.get("expires_at"):
        row.expires_at = min(row.expires_at, fields["expires_at"])


def digest_of(fields: Fields) -> Fields:
    """Replace `token` or `token_sha256` by `digest`. BadRecord: neither is given, or both."""
    if ("token" in fields) == ("token_sha256" in fields):
        raise BadRecord("give either 'token' or 'token_sha256'")
    clear = fields.pop("token", None)
    fields["digest"] = fields.pop("token_sha256", None) if clear is None else sha256(clear)
    return fields
