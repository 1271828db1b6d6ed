"""Faults of jobs: commands that are killed midway, and run again."""

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .databases import POSTGRESQL, SQLITE, SQLite
from .faults import Fault
from .model import DOUBLED, LOST, WRONG, Model
from .place import Place, Record, access_token, client_record, grant
from .processes import has_ended, kill_group, run_command, start_command

SAMPLE = 10
"""Tokens of a job that are introspected over HTTP."""


class JobKilled(Fault):
    """A command is killed when a part of its work is done, and then run again to its end."""

    size = 1_000
    kills = (0.0, 0.5)
    heal_counts, once = False, True
    arguments: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.tag = secrets.token_hex(4)
        self.client = f"job-{self.tag}"
        self.tokens: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.thorough = False

    def prepare(self, place: Place, *, thorough: bool) -> None:
        """Import the records that the job works on."""
        self.choose_size(thorough)
        place.load_records("job", self.records())

    def choose_size(self, thorough: bool) -> None:
        """Make the tokens: three times as many in the long form."""
        self.thorough = thorough
        self.size *= 3 if thorough else 1
        self.tokens = self._values()

    def records(self) -> Iterator[Record]:
        """A client, and grants with a token each."""
        yield client_record(self.client)
        for number, token in enumerate(self.tokens):
            grant_id = f"{self.client}-{number}"
            yield grant(self.client, grant_id, f"subject-{self.tag}")
            yield access_token(self.client, token, grant_id=grant_id, subject=f"subject-{self.tag}")

    def done(self, place: Place) -> int:
        """How much of the work is done, in rows."""
        raise NotImplementedError

    def inject(self, place: Place, model: Model) -> None:
        """Send SIGKILL when a part of the work is done; in the long form once more, later on."""
        for share in self.kills if self.thorough else self.kills[:1]:
            self._kill_after(place, model, share)

    def _kill_after(self, place: Place, model: Model, share: float) -> None:
        self.process = process = start_command(place.database.url, *self.command(place))
        place.wait(lambda: has_ended(process) or self.done(place) > share * self.size)
        ended = has_ended(process)
        kill_group(process)
        self.process = None
        done = self.done(place)
        self.notes.append(f"killed when {done:,} of {self.size:,} were done")
        if ended:
            model.find(WRONG, f"{self.arguments[0]} had ended before it was killed", self.name)
        self.after_kill(place, model)

    def heal(self, place: Place, model: Model) -> None:
        """Run the same command again, to its end."""
        if self.process is not None:  # `inject` was interrupted, and so is the run
            kill_group(self.process)
            return
        began = time.monotonic()
        code, said = run_command(place.database.url, *self.command(place))
        self.notes.append(f"run again in {time.monotonic() - began:.1f} s")
        if code:
            last = (said.strip().splitlines() or [""])[-1]
            model.find(LOST, f"{self.arguments[0]}, run again, failed: {last}", self.name)

    def command(self, place: Place) -> tuple[str, ...]:
        """The arguments of `manage.py`."""
        return self.arguments

    def after_kill(self, place: Place, model: Model) -> None:
        """Check the database between the kill and the next run."""

    def count(self, place: Place, table: str, condition: str = "") -> int:
        """The number of rows that the client of this job has; `condition` is more SQL."""
        sql = (
            f"SELECT count(*) FROM grant_management_{table} t"
            " JOIN grant_management_client c ON c.id = t.client_id WHERE c.client_id = ?"
        )
        return place.database.rows(sql + condition, self.client)[0][0]

    def expect(self, model: Model, kind: str, wrong: int, sentence: str) -> None:
        """Add a finding for each of `wrong` rows; for none where it is 0 or less."""
        for _ in range(max(wrong, 0)):
            model.find(kind, sentence, self.name)

    def _values(self) -> list[str]:
        return [secrets.token_urlsafe(32) for _ in range(self.size)]

    def dead(self, place: Place) -> int:
        """How many of some tokens that should be alive a server says are dead."""
        return sum(not self.alive(place, token) for token in self.tokens[:SAMPLE])

    def alive(self, place: Place, token: str) -> bool:
        """Whether a server says that the token is active."""
        target = place.target()
        caller = target.caller(target.ports[0])
        answer = caller.form(f"/api/{target.service}/introspect", f"token={token}")
        caller.close()
        return answer.body.get("active") is True


class SweepKilled(JobKilled):
    """`revoke_grants` of some thousand grants."""

    name = "sweep killed"
    in_short = (POSTGRESQL,)

    def command(self, place: Place) -> tuple[str, ...]:
        """Revoke by subject, in small batches."""
        which = ("--service", "1001", "--subject", f"subject-{self.tag}")
        self.arguments = ("revoke_grants", *which, "--batch-size", "50")
        return self.arguments

    def done(self, place: Place) -> int:
        """The number of grants that are revoked."""
        return self.count(place, "grant", " AND t.revoked_at IS NOT NULL")

    def after_kill(self, place: Place, model: Model) -> None:
        """Check that each batch is whole: there are as many events as revoked grants."""
        sentence = "the killed sweep left revoked grants without an event, or events without one"
        self.expect(model, LOST, abs(self.done(place) - sum(self._events(place))), sentence)

    def check(self, place: Place, model: Model) -> None:
        """Check that every grant is revoked, with exactly one event."""
        left = self.size - self.done(place)
        self.expect(model, LOST, left, "a grant of the sweep is not revoked")
        events = self._events(place)
        self.expect(model, LOST, self.size - len(events), "a grant of the sweep has no event")
        twice = sum(number > 1 for number in events)
        self.expect(model, DOUBLED, twice, "a grant of the sweep has two events")
        alive = min(SAMPLE, self.size) - self.dead(place)
        self.expect(model, LOST, alive, "a token of a swept grant lives")

    def _events(self, place: Place) -> list[int]:
        """The number of `revoked` events of each grant that has some."""
        sql = (
            "SELECT count(*) FROM grant_management_grantevent"
            " WHERE kind = 'revoked' AND client_id = ? GROUP BY grant_id"
        )
        return [number for (number,) in place.database.rows(sql, self.client)]


class PurgeKilled(JobKilled):
    """`purge_expired` of some thousand expired tokens, beside live ones."""

    name = "purge killed"
    in_short = (POSTGRESQL,)
    arguments = ("purge_expired", "--batch-size", "50")
    live = 50

    def records(self) -> Iterator[Record]:
        """A client, and tokens: the first `live` ones are alive, the others have expired."""
        yield client_record(self.client)
        now = int(time.time())
        for number, token in enumerate(self.tokens):
            end = now + 3600 if number < self.live else now - 3600
            yield access_token(self.client, token, issued_at=now - 7200, expires_at=end)

    def prepare(self, place: Place, *, thorough: bool) -> None:
        """Import the records, and note how many of the tokens are alive."""
        super().prepare(place, thorough=thorough)
        self.notes.append(f"beside {self.live} live ones")

    def done(self, place: Place) -> int:
        """The number of tokens that are deleted."""
        return self.size - self.count(place, "accesstoken")

    def check(self, place: Place, model: Model) -> None:
        """Check that the expired tokens are gone, and the live ones are there."""
        left = self.count(place, "accesstoken") - self.live
        self.expect(model, WRONG, left, "an expired token was not purged")
        self.expect(model, LOST, -left, "a live token was purged")
        self.expect(model, LOST, self.dead(place), "a live token of the purge's client is dead")


class ImportKilled(JobKilled):
    """`import_grants` of some thousand grants with a token each."""

    name = "import killed"
    in_short = (SQLITE,)

    def prepare(self, place: Place, *, thorough: bool) -> None:
        """Write the file; import nothing but the client."""
        self.choose_size(thorough)
        client, *records = self.records()
        place.load_records("job", [client])
        self.file = place.write_records("killed-import", records)

    def command(self, place: Place) -> tuple[str, ...]:
        """Import in small batches, each of as many grants as tokens."""
        self.arguments = ("import_grants", str(self.file), "--batch-size", "200")
        return self.arguments

    def done(self, place: Place) -> int:
        """The number of grants that are imported."""
        return self.count(place, "grant")

    def after_kill(self, place: Place, model: Model) -> None:
        """Check that each batch is whole: there are as many tokens as grants."""
        parts = abs(self.done(place) - self.count(place, "accesstoken"))
        self.expect(model, LOST, parts, "the killed import left a part of a batch")

    def check(self, place: Place, model: Model) -> None:
        """Check that every record is there, once."""
        for table in ("grant", "accesstoken"):
            wrong = self.size - self.count(place, table)
            self.expect(model, LOST, wrong, f"a record of the import is not there ({table})")
            self.expect(model, DOUBLED, -wrong, f"a record of the import is there twice ({table})")
        self.expect(model, LOST, self.dead(place), "an imported token is dead")


class ExportKilled(JobKilled):
    """`export_grants` to a file, of some thousand grants with a token each."""

    name = "export killed"
    kills = (0.0,)
    in_short = (POSTGRESQL,)

    def prepare(self, place: Place, *, thorough: bool) -> None:
        """Import the records, and make a folder for the export alone, to see what is left in it."""
        super().prepare(place, thorough=thorough)
        self.folder = place.folder / f"export-{self.tag}"
        self.folder.mkdir()
        self.file = self.folder / "export.jsonl"

    def command(self, place: Place) -> tuple[str, ...]:
        """Export everything."""
        self.arguments = ("export_grants", "--output", str(self.file))
        return self.arguments

    def done(self, place: Place) -> int:
        """The number of grants that are written, whatever the name of the file."""
        return sum(path.read_bytes().count(b'"type":"grant"') for path in self.folder.iterdir())

    def after_kill(self, place: Place, model: Model) -> None:
        """Check that only a whole export has the final name."""
        if not self.file.exists():
            return
        lines = self.file.read_bytes().splitlines()
        if not _is_end(lines):
            sentence = "a killed export left a part under its good name, and nothing says so"
            model.find(LOST, sentence, self.name)

    def check(self, place: Place, model: Model) -> None:
        """Check that the second export is whole and, in the long form, imports elsewhere."""
        lines = self.file.read_bytes().splitlines() if self.file.exists() else []
        records = [json.loads(line) for line in lines]
        mine = [one["type"] for one in records if one.get("client_id") == self.client]
        for kind in ("grant", "access_token"):
            wrong = self.size - mine.count(kind)
            self.expect(model, LOST, wrong, f"a record is not in the export ({kind})")
            self.expect(model, DOUBLED, -wrong, f"a record is in the export twice ({kind})")
        if self.thorough and not model.findings:
            self._import_elsewhere(place, model)

    def _import_elsewhere(self, place: Place, model: Model) -> None:
        file: Path = self.folder / "elsewhere.sqlite3"
        url = f"sqlite:///{file}"
        for command in (("migrate", "-v", "0"), ("import_grants", str(self.file))):
            code, said = run_command(url, *command)
            if code:
                model.find(LOST, f"the export does not import: {said.strip()[-200:]}", self.name)
        elsewhere = SQLite.__new__(SQLite)
        elsewhere.file = file
        count = "SELECT count(*) FROM grant_management_accesstoken"
        there, here = elsewhere.rows(count)[0][0], self.file.read_bytes().count(b'"access_token"')
        self.expect(model, LOST, here - there, "a token of the export was not imported elsewhere")


def _is_end(lines: list[bytes]) -> bool:
    """Whether the last record is the end record, with the number of records before it."""
    try:
        last = json.loads(lines[-1])
    except (ValueError, IndexError):
        return False
    return last == {"type": "end", "records": len(lines) - 1}


JOBS = (SweepKilled, PurgeKilled, ImportKilled, ExportKilled)
