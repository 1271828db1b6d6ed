"""Mutations: harm done on purpose, each in a way that the judge must see.

They show that a run can fail. Each is for one fault, harms the database (by SQL), the model, the
load or the fault, and notes its victim. The run has seen it where a finding names that victim.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from .databases import POSTGRESQL, SQLITE
from .faults import Fault
from .jobs import JobKilled
from .load import Target
from .model import CREATED, DOUBLED, LOST, MERGED, REVOKED, WRONG, Grant, Model, Sure, Write
from .place import Place
from .wire import Answer, read


class Mutation:
    """No harm. `expects` is the kind of finding that the run must make about the `victim`."""

    name: ClassVar[str] = ""
    fault: ClassVar[str] = ""
    databases: ClassVar[tuple[str, ...]] = (POSTGRESQL, SQLITE)
    expects: ClassVar[str] = ""

    def __init__(self) -> None:
        self.victim = ""

    def begin(self, place: Place, target: Target, fault: Fault) -> None:
        """Called before the load."""

    def end(self, place: Place, model: Model) -> None:
        """Called after recovery, before the judgement."""

    def seen(self, findings: list[Any]) -> bool:
        """Whether the judge found the harm."""
        return any(one.kind == self.expects and one.victim == self.victim for one in findings)


def _write(model: Model, kind: str) -> Iterator[tuple[Grant, Write]]:
    """Acknowledged writes of a kind, of grants that are alive; for revokes, of any grant."""
    for grant in model.grants:
        for write in grant.writes:
            if write.kind == kind and write.sure is Sure.YES and (grant.lives or kind == REVOKED):
                yield grant, write


class LosesToken(Mutation):
    """Access tokens that were issued are deleted."""

    name, fault, expects = "loses-token", "worker killed", LOST
    databases = (SQLITE, POSTGRESQL)

    def end(self, place: Place, model: Model) -> None:
        """Delete the access tokens of a live grant."""
        grant = next(one for one in model.grants if one.lives and one.usable())
        place.database.rows(
            "DELETE FROM grant_management_accesstoken WHERE grant_id ="
            " (SELECT id FROM grant_management_grant WHERE grant_id = ?)",
            grant.grant_id,
        )
        self.victim = grant.name


class LosesTokenWhileStalled(LosesToken):
    """As loses-token."""

    name, fault = "loses-token-while-stalled", "clients stalled"


class UndoesRevoke(Mutation):
    """A REVOKE that was acknowledged is undone."""

    name, fault, expects = "undoes-revoke", "database stopped", LOST
    databases = (POSTGRESQL,)

    def end(self, place: Place, model: Model) -> None:
        """Reset the stamp and the generations of a revoked grant."""
        grant, _ = next(_write(model, REVOKED))
        place.database.rows(
            "UPDATE grant_management_grant SET revoked_at = NULL, access_generation = 0,"
            " refresh_generation = 0 WHERE grant_id = ?",
            grant.grant_id,
        )
        self.victim = grant.name


class UndoesRevokeAfterKill(UndoesRevoke):
    """A REVOKE that was acknowledged is undone."""

    name, fault = "undoes-revoke-after-kill", "main process killed"
    databases = (SQLITE, POSTGRESQL)


class LosesEvent(Mutation):
    """The event of an acknowledged merge is deleted."""

    name, fault, expects = "loses-event", "database crashed", LOST
    databases = (POSTGRESQL,)

    def end(self, place: Place, model: Model) -> None:
        """Delete the event of a merge of a live grant."""
        grant, _ = next(_write(model, MERGED))
        place.database.rows(
            "DELETE FROM grant_management_grantevent WHERE kind = ? AND grant_id = ?",
            MERGED,
            grant.grant_id,
        )
        self.victim = grant.name


class DoublesEvent(Mutation):
    """The event of an acknowledged create is there twice."""

    name, fault, expects = "doubles-event", "connections cut", DOUBLED
    databases = (POSTGRESQL,)

    def end(self, place: Place, model: Model) -> None:
        """Insert a copy of the event, with a key of its own."""
        grant, _ = next(_write(model, CREATED))
        sql = "SELECT * FROM grant_management_grantevent WHERE 1 = 0"
        names = ", ".join(name for name in place.database.columns(sql) if name != "id")
        place.database.rows(
            f"INSERT INTO grant_management_grantevent (id, {names})"
            f" SELECT {place.database.new_key}, {names} FROM grant_management_grantevent"
            " WHERE kind = ? AND grant_id = ?",
            CREATED,
            grant.grant_id,
        )
        self.victim = grant.name


class ModelDoubles(Mutation):
    """The model counts an acknowledged merge twice."""

    name, fault, expects = "model-doubles", "database frozen", LOST
    databases = (POSTGRESQL,)

    def end(self, place: Place, model: Model) -> None:
        """Add a write a second time, so that the model expects two events where there is one."""
        grant, write = next(_write(model, MERGED))
        grant.writes.append(write)
        self.victim = grant.name


class ModelForgets(Mutation):
    """The model forgets an acknowledged create."""

    name, fault, expects = "model-forgets", "locked", DOUBLED
    databases = (SQLITE, POSTGRESQL)

    def end(self, place: Place, model: Model) -> None:
        """Make the model expect no event where there is one."""
        grant, write = next(_write(model, CREATED))
        write.sure = Sure.NO
        self.victim = grant.name


class UndoesMerge(Mutation):
    """The scopes of an acknowledged merge are removed."""

    name, fault, expects = "undoes-merge", "read-only", LOST
    databases = (SQLITE, POSTGRESQL)

    def end(self, place: Place, model: Model) -> None:
        """Leave the grant no scope but `openid`."""
        grant, _ = next(_write(model, MERGED))
        scopes = '[{"scope":"openid"}]'
        place.database.rows(
            "UPDATE grant_management_grant SET scopes = ? WHERE grant_id = ?",
            scopes,
            grant.grant_id,
        )
        self.victim = grant.name


class LosesGrant(Mutation):
    """A grant that was created is deleted with its tokens, but not its events."""

    name, fault, expects = "loses-grant", "disk full", LOST

    def end(self, place: Place, model: Model) -> None:
        """Delete the tokens, then the grant."""
        grant, _ = next(_write(model, CREATED))
        for table in ("accesstoken", "refreshtoken"):
            place.database.rows(
                f"DELETE FROM grant_management_{table} WHERE grant_id ="
                " (SELECT id FROM grant_management_grant WHERE grant_id = ?)",
                grant.grant_id,
            )
        place.database.rows("DELETE FROM grant_management_grant WHERE grant_id = ?", grant.grant_id)
        self.victim = grant.name


class ForgetsProofs(Mutation):
    """The rows of used proofs are deleted, so that a replay is accepted."""

    name, fault, expects = "forgets-proofs", "clock ahead", DOUBLED

    def begin(self, place: Place, target: Target, fault: Fault) -> None:
        """Delete the rows before each replay."""
        target.before_replay = lambda: place.database.rows("DELETE FROM grant_management_usedproof")

    def seen(self, findings: list[Any]) -> bool:
        """Whether a replay was accepted, of whichever grant's proof."""
        return any(one.sentence == "a DPoP proof was accepted twice" for one in findings)


class GarblesAnswers(Mutation):
    """One answer is an HTML page."""

    name, fault, expects = "garbles-answers", "worker killed", WRONG
    databases = (SQLITE, POSTGRESQL)

    def begin(self, place: Place, target: Target, fault: Fault) -> None:
        """Replace the first answer of the load."""
        left = [b"<h1>Server Error (500)</h1>"]

        def garble(answer: Answer) -> Answer:
            return read(500, left.pop()) if left else answer

        target.garble = garble

    def seen(self, findings: list[Any]) -> bool:
        """Whether the answer was found, of whichever call it was."""
        return any("not of the contract" in one.sentence for one in findings)


class _OfJob(Mutation):
    """A mutation that harms the job of a fault."""

    expects = LOST
    job: JobKilled

    def begin(self, place: Place, target: Target, fault: Fault) -> None:
        """Remember the job, and harm it before it runs."""
        assert isinstance(fault, JobKilled)
        self.job, self.victim = fault, fault.name
        self.harm(fault)

    def harm(self, job: JobKilled) -> None:
        """Harm the job before it runs."""


class SweepNotFinished(_OfJob):
    """The killed sweep is not run again."""

    name, fault = "sweep-not-run-again", "sweep killed"

    def harm(self, job: JobKilled) -> None:
        """Skip the second run of the command."""
        job.heal = lambda place, model: None  # type: ignore[method-assign]

    def seen(self, findings: list[Any]) -> bool:
        """Whether live grants of the sweep were found."""
        return any(one.sentence == "a grant of the sweep is not revoked" for one in findings)


class PurgeTakesLive(_OfJob):
    """The purge deletes a token that lives."""

    name, fault = "purge-takes-live", "purge killed"

    def end(self, place: Place, model: Model) -> None:
        """Delete one token of the job: the purge has left only live ones."""
        place.database.rows(
            "DELETE FROM grant_management_accesstoken WHERE id = (SELECT t.id FROM"
            " grant_management_accesstoken t JOIN grant_management_client c ON c.id = t.client_id"
            " WHERE c.client_id = ? LIMIT 1)",
            self.job.client,
        )

    def seen(self, findings: list[Any]) -> bool:
        """Whether it was found that a live token is missing."""
        return any(one.sentence == "a live token was purged" for one in findings)


class ImportNotFinished(SweepNotFinished):
    """The killed import is not run again."""

    name, fault = "import-not-run-again", "import killed"
    databases = (SQLITE, POSTGRESQL)

    def seen(self, findings: list[Any]) -> bool:
        """Whether it was found that grants are missing."""
        return any(
            one.sentence == "a record of the import is not there (grant)" for one in findings
        )


class ExportTruncated(_OfJob):
    """The export that was run again loses its second half."""

    name, fault = "export-truncated", "export killed"

    def end(self, place: Place, model: Model) -> None:
        """Cut the file off between two lines, as a killed export might."""
        file = self.job.file  # type: ignore[attr-defined]
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(b"".join(lines[: len(lines) // 2]))

    def seen(self, findings: list[Any]) -> bool:
        """Whether it was found that records are missing."""
        return any(one.sentence.startswith("a record is not in the export") for one in findings)


MUTATIONS: dict[str, type[Mutation]] = {
    one.name: one
    for one in (
        LosesToken,
        LosesTokenWhileStalled,
        GarblesAnswers,
        UndoesRevokeAfterKill,
        UndoesRevoke,
        LosesEvent,
        DoublesEvent,
        ModelDoubles,
        ModelForgets,
        UndoesMerge,
        LosesGrant,
        ForgetsProofs,
        SweepNotFinished,
        PurgeTakesLive,
        ImportNotFinished,
        ExportTruncated,
    )
}
