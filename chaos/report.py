"""The output of a run: the table, the findings, and docs/explanation/reliability.md."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from .clocks import CLOCKS
from .faults import Fault
from .jobs import JOBS
from .load import PROVOKED
from .model import DOUBLED, LOST, WRONG, Finding
from .mutations import MUTATIONS
from .processes import ROOT
from .stalled import ClientsStalled
from .trial import Row

DOCUMENT = ROOT / "docs" / "explanation" / "reliability.md"
CLUSTER = "## A cluster"
"""The heading from which the document is about `run.py test --cluster`, which writes it."""
NOT_YET_HELD = (
    "Nothing starts a server again whose main process was killed (a service manager does): here the"
    " run does, and the time to recovery includes that.",
)
_HEAD = (
    "| fault | calls | acknowledged | lost | doubled | wrong | calls that failed, by code"
    " | longest wait, s | others waited, ms | recovery, s |\n" + "| --- " * 10 + "|"
)


def line(row: Row) -> str:
    """A row of the table."""
    if row.missing:
        return f"| {row.fault} | not run: {row.missing} | | | | | | | | |"
    numbers = (row.calls, row.acknowledged, *(row.number(kind) for kind in (LOST, DOUBLED, WRONG)))
    cells = [row.fault, *(f"{number:,}" for number in numbers), refusals(row.refused)]
    others = f"{row.others.p99:.0f}, {row.others.longest:.0f}"
    return f"| {' | '.join([*cells, f'{row.waited:.1f}', others, _recovery(row)])} |"


def refusals(counted: Counter[str]) -> str:
    """The number of refusals by code, the most frequent first, without those that the load
    provokes.
    """
    told = [f"{code}: {number:,}" for code, number in counted.most_common()]
    return ", ".join(one for one in told if not one.startswith(PROVOKED)) or "none"


def shown_again(number: int) -> str:
    """The proofs of all trials. That one was accepted is a finding of its trial."""
    told = f"{number:,} DPoP proofs that had been accepted were shown again."
    return told if number else f"{told} So nothing was learned of them, and a whole run fails."


def grouped(findings: Iterable[Finding]) -> list[str]:
    """Each different finding once, with its number."""
    counted = Counter((one.kind, one.sentence) for one in findings)
    return [f"{kind}: {sentence} ({number:,})" for (kind, sentence), number in counted.items()]


def table(rows: list[Row]) -> str:
    """The table of one database, and below it the findings and notes."""
    parts = [_HEAD, *(line(row) for row in rows), ""]
    for row in rows:
        if told := "; ".join((*grouped(row.findings), *row.notes)):
            parts.append(f"* **{row.fault}**: {told}.")
    return "\n".join(parts)


def write(rows: list[Row], seen: dict[tuple[str, str], bool], command: str) -> None:
    """Write the document about a run; the section of the cluster stays as it is."""
    _, cluster = in_two(DOCUMENT.read_text())
    DOCUMENT.write_text(joined(document(rows, seen, command), cluster))


def in_two(text: str) -> tuple[str, str]:
    """The document before the section of the cluster, and that section; "": it has none."""
    before, heading, after = text.partition(f"\n{CLUSTER}\n")
    return before, f"{heading}{after}".strip()


def joined(text: str, cluster: str) -> str:
    """The document with that section."""
    return "\n\n".join(part for part in (text.strip(), cluster) if part) + "\n"


def document(rows: list[Row], seen: dict[tuple[str, str], bool], command: str) -> str:
    """The text of the document."""
    databases = dict.fromkeys(row.database for row in rows)
    titles = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
    parts = [
        Path(__file__).with_name("reliability.txt").read_text().strip().format(command=command)
    ]
    for database in databases:
        parts += [
            f"## {titles[database]}",
            table([one for one in rows if one.database == database]),
        ]
    parts += ["## Faults", _faults(), "## Not yet held", _bullets(NOT_YET_HELD)]
    parts += ["## A run can fail", _ABOUT_MUTATIONS, _mutations(seen)]
    return "\n\n".join(parts) + "\n"


_ABOUT_MUTATIONS = (
    "`run.py chaos --mutate NAME` does harm on purpose, and must end with exit code 1;"
    " `run.py chaos --prove` does each in turn, and ends with 1 where one was not seen."
)


def _mutations(seen: dict[tuple[str, str], bool]) -> str:
    lines = ["| mutation | fault | what it does | PostgreSQL | SQLite |", "| --- " * 5 + "|"]
    told = {True: "seen", False: "**not seen**", None: "-"}
    for name, mutation in MUTATIONS.items():
        both = [told[seen.get((name, database))] for database in ("postgresql", "sqlite")]
        text = (mutation.__doc__ or "").strip()
        lines.append(f"| {' | '.join([name, mutation.fault, text, *both])} |")
    return "\n".join(lines)


def _faults() -> str:
    return "\n".join(
        f"* **{fault.name}**: {' '.join((fault.__doc__ or '').split())}" for fault in all_faults()
    )


def all_faults() -> list[type[Fault]]:
    """The faults, in the order in which they are run.

    Wrong clocks come last: on SQLite they leave stamps in the future, and no import accepts those
    until that time has come.
    """
    from . import faults

    own = (
        faults.WorkerKilled,
        faults.MainKilled,
        ClientsStalled,
        faults.DatabaseStopped,
        faults.DatabaseCrashed,
        faults.ConnectionsCut,
        faults.DatabaseFrozen,
        faults.TablesLocked,
        faults.ReadOnly,
        faults.DiskFull,
    )
    return [*own, *JOBS, *CLOCKS]


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"* {text}" for text in texts)


def _recovery(row: Row) -> str:
    text = "not" if row.recovery is None else f"{row.recovery:.1f}"
    return f"{text}, {row.restarts} started again" if row.restarts else text
