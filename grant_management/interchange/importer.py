"""The import: batches of lines, each in a transaction of its own."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Final, NamedTuple

from django.db import DataError, IntegrityError, InternalError

from ..conf import app_settings
from ..db import clock, primary
from ..db.bulk_insert import insert
from ..db.of_service import at_services
from ..db.retry import retried
from ..db.service_row import OfService
from ..models import Actor, ApiToken, EventKind, GrantEvent, Organization, OrganizationEvent
from ..protocol import strict_json
from .copied import check_is_here, copy
from .end_record import TYPE as END
from .end_record import End, Error
from .grants import AccessTokenKind, GrantKind, RefreshTokenKind
from .lines import Line, lines
from .plain_words import ClientProfileKind, DescriptionKind, LogoKind
from .record import BadRecord, Fields, Key, Kind
from .references import THERE, References
from .tenants import ApiTokenKind, ClientKind, OrganizationKind, ServiceKind

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        OrganizationKind(),
        ServiceKind(),
        ApiTokenKind(),
        DescriptionKind(),
        ClientKind(),
        ClientProfileKind(),
        LogoKind(),
        GrantKind(),
        AccessTokenKind(),
        RefreshTokenKind(),
    )
}
"""In the order of references: a record refers only to records of kinds before its own."""
BATCH_BYTES: Final = 16 * 1_048_576
"""A batch with this many bytes is full, however few lines it has: two batches are in memory."""


class Record(NamedTuple):
    """The fields of a record, and the line that it stands on."""

    line: int
    fields: Fields


class ReadLines(NamedTuple):
    """The lines of a batch: records by kind, and errors. `first` is a line number, `size` bytes."""

    first: int
    size: int
    records: dict[str, list[Record]]
    errors: list[Error]

    @classmethod
    def of(cls, lines: Sequence[Line]) -> "ReadLines":
        """Read one line or more. Nothing is looked up: a record may still turn out to be bad."""
        size = sum(line.size for line in lines)
        read = cls(lines[0].number, size, {name: [] for name in KINDS}, [])
        for line in lines:
            try:
                kind, fields = _read(line)
                read.records[kind].append(Record(line.number, fields))
            except BadRecord as error:
                read.errors.append(Error(line.number, str(error)))
        return read


class BadBatch(Exception):
    """The batch was rolled back, because of these records."""

    def __init__(self, errors: Sequence[Error]) -> None:
        super().__init__(f"{len(errors)} bad records")
        self.errors = errors


class _NotNew(Exception):
    """The batch was rolled back: the database refused a row that was assumed to be new."""


@dataclass
class Importer:
    """An import that is under way. `skip_bad`: keep the good records of a batch with bad ones.

    `expects_new`: rows are inserted without looking up existing ones. The database refuses a batch
    with an existing row, since each kind's key is unique. That batch is written again with a
    look-up, and so are all later ones.
    """

    actor: Actor
    source: str
    skip_bad: bool = False
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    announced: set[int] = field(default_factory=set)
    announced_organizations: set[int] = field(default_factory=set)
    references: References = field(default_factory=References)
    expects_new: bool = True

    def take(self, read: ReadLines) -> list[Error]:
        """Write a batch; the errors of skipped records. BadBatch: nothing of it was written."""
        try:
            return self._take(read)
        except _NotNew:
            self.expects_new = False
            return self._take(read)

    @retried
    def _take(self, read: ReadLines) -> list[Error]:
        # If this fails, its references name rows that were rolled back: continue without any.
        references, self.references = self.references.of_next_batch(), References()
        with primary.atomic(), primary.atomic_in_first():
            now = clock.now()
            batch = Batch(now, references, [*read.errors], self.expects_new)
            batch.write(read.records)
            if batch.errors and not self.skip_bad:
                raise BadBatch(sorted(batch.errors))
            services = batch.services - self.announced
            organizations = batch.organizations - self.announced_organizations
            self._announce(services, organizations, now)
        self.announced |= services
        self.announced_organizations |= organizations
        self.references = references
        for name, number in batch.counts.items():
            self.counts[name] += number
        return sorted(batch.errors)

    def _announce(self, services: set[int], organizations: set[int], now: datetime) -> None:
        """Add one event for each service and organization that this run touches first here."""
        kind, details = EventKind.IMPORTED, {"source": self.source}
        for number in sorted(services):
            GrantEvent.objects.record(kind, number, now, self.actor, details=details)
        for number in sorted(organizations):
            OrganizationEvent.objects.record(kind, number, now, self.actor, details=details)


@dataclass
class Batch:
    """Records that are written in one transaction, kind by kind.

    A kind refers only to kinds before it, so a batch takes a handful of statements, however the
    kinds alternate in the file.
    """

    now: datetime
    references: References
    errors: list[Error]
    expects_new: bool
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    services: set[int] = field(default_factory=set)
    organizations: set[int] = field(default_factory=set)

    def write(self, records: Mapping[str, list[Record]]) -> None:
        """Write the good records, by names of kinds; the errors of the others are in `errors`."""
        for name, kind in KINDS.items():
            if records[name]:
                self._write_kind(kind, records[name])

    def _write_kind(self, kind: Kind, records: list[Record]) -> None:
        self.references.load(kind.refers, [fields for _, fields in records])
        resolved = self._resolve(kind, records)
        if not resolved:
            return
        known = self._known(kind, resolved)
        # Rows that are the same after the update are not written.
        before = {key: _state(kind, row) for key, row in known.items()}
        for key, row in known.items():
            self.references.define(kind.name, key, row, THERE)
        new: dict[Key, tuple[int, Any]] = {}
        for record in resolved:
            self._apply(kind, record, known, new)
        changed = {key: row for key, row in known.items() if _state(kind, row) != before[key]}
        if changed:
            rows = kind.model._default_manager.all()
            if issubclass(kind.model, OfService):
                rows = rows.filter(at_services(row.service_id for row in changed.values()))
            rows.bulk_update(changed.values(), kind.updated, batch_size=200)
        inserted = self._insert(kind, new)
        for key, (line, row) in inserted.items():
            self.references.define(kind.name, key, row, line)
        written = [*changed.values(), *(row for _, row in inserted.values())]
        copy(kind, written)
        if kind.model in (Organization, ApiToken):
            self._note_organizations(written)

    def _known(self, kind: Kind, records: list[Record]) -> dict[Key, Any]:
        if self.expects_new:
            return {}
        return kind.known([kind.key(fields) for _, fields in records])

    def _resolve(self, kind: Kind, records: list[Record]) -> list[Record]:
        resolved = []
        for line, fields in records:
            try:
                check_is_here(kind, fields)
                resolved.append(Record(line, self.references.resolve(line, fields, *kind.refers)))
            except BadRecord as error:
                self.errors.append(Error(line, str(error)))
        return resolved

    def _apply(
        self, kind: Kind, record: Record, known: dict[Key, Any], new: dict[Key, tuple[int, Any]]
    ) -> None:
        line, fields = record
        key = kind.key(fields)
        # A record may come twice in a batch: the second one updates the row of the first.
        row = known.get(key) or new.get(key, (line, None))[1]
        try:
            kind.judge(fields, self.now)
            if row is None:
                new[key] = (line, kind.create(fields, self.now))
            else:
                kind.update(row, fields, self.now)
        except BadRecord as error:
            self.errors.append(Error(line, str(error)))
        else:
            self.counts[kind.name] += 1
            self._touch(fields)

    def _note_organizations(self, rows: list[Any]) -> None:
        """Remember organizations that changed, or whose organization tokens did, for the event."""
        for row in rows:
            if isinstance(row, Organization):
                self.organizations.add(row.pk)
            elif row.service_id is None:
                self.organizations.add(row.organization_id)

    def _touch(self, fields: Fields) -> None:
        """Remember the service, for the event."""
        if "service" in fields:
            self.services.add(fields["service"].pk)

    def _insert(self, kind: Kind, new: dict[Key, tuple[int, Any]]) -> dict[Key, tuple[int, Any]]:
        """Insert all rows at once; if that fails, one by one, to find the bad one.

        Returns those that were inserted. _NotNew: it failed, and existing rows were not looked up.
        Citus reports a key that is taken, in a COPY, as an internal error.
        """
        try:
            with primary.savepoint(kind.model):
                insert(kind.model, [row for _, row in new.values()])
        except (IntegrityError, DataError, InternalError):
            if self.expects_new:
                raise _NotNew from None
            return {key: one for key, one in new.items() if self._insert_one(*one)}
        return new

    def _insert_one(self, line: int, row: Any) -> bool:
        try:
            with primary.savepoint(type(row)):  # so that a failure does not abort the batch
                row.save(force_insert=True)
        except (IntegrityError, DataError):
            self.errors.append(Error(line, "conflicts with another record: is its number taken?"))
            return False
        return True


def _state(kind: Kind, row: Any) -> list[Any]:
    return [getattr(row, name) for name in kind.updated]


def batches(stream: BinaryIO, size: int, end: End) -> Iterator[ReadLines]:
    """The lines before the end record, `size` of them or `BATCH_BYTES` bytes at a time.

    Blank lines are left out. `end` counts the lines, and judges the end record.
    """
    batch: list[Line] = []
    held = 0
    for line in end.watch(lines(stream, app_settings.max_import_line)):
        batch.append(line)
        held += len(line.text)
        if len(batch) == size or held >= BATCH_BYTES:
            yield ReadLines.of(batch)
            batch, held = [], 0
    if batch:
        yield ReadLines.of(batch)


def _read(line: Line) -> tuple[str, Fields]:
    if not line.is_whole:
        raise BadRecord(f"the line is longer than {app_settings.max_import_line} bytes")
    record = _object(line.text)
    kind = record.get("type")
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadRecord(f"'type' must be one of {', '.join([*KINDS, END])}")
    return kind, KINDS[kind].read(record)


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = strict_json.loads(text, keep_numbers=True)
    except ValueError as error:
        raise BadRecord(f"not a line of strict JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadRecord("not a JSON object")
    return value
