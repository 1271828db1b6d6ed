"""`distribute [--shards N] [--dry-run | --yes]`."""

from collections.abc import Iterator
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from ...db import primary
from ...models import placement
from ..base import GrantManagementCommand
from ..citus import Database, tables

SHARDS: Final = 32
MOST_SHARDS: Final = 1024


class Command(GrantManagementCommand):
    """Turns a database into a cluster of Citus, as far as it is none yet."""

    help = (
        "Spread the tables of services over the nodes of a Citus cluster, each service's rows on"
        " one node. Stop the servers first. It prints its statements and asks; an interrupted one"
        " can be run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the number of shards, and whether it asks."""
        super().add_arguments(parser)
        parser.add_argument(
            "--shards", type=int, default=SHARDS, metavar="N", help="parts of each table"
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--dry-run", action="store_true", help="print what it would do")
        how.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, **options: Any) -> None:
        """Distribute. CommandError: the database cannot be, or nobody agreed."""
        if not 1 <= options["shards"] <= MOST_SHARDS:
            raise CommandError(f"'shards' must be between 1 and {MOST_SHARDS}.")
        database = Database(primary.connection())
        if refused := database.refused():
            raise CommandError(f"{refused.code}: {refused.reason}")
        left = list(statements(database, options["shards"]))
        if left and not options["dry_run"]:
            self._ask(left, options)
            for sql in left:
                self.stderr.write(sql)
                database.run(sql)
        self._tell(left, options)

    def _ask(self, left: list[str], options: dict[str, Any]) -> None:
        if options["yes"]:
            return
        self.stderr.write("\n".join([*left, "Writers wait while a table's rows are moved."]))
        if input("Distribute? [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was done.")

    def _tell(self, left: list[str], options: dict[str, Any]) -> None:
        done = "Would run" if options["dry_run"] else "Ran"
        text = f"{done} {len(left)} statement(s)." if left else "It is distributed already."
        if left and options["dry_run"]:
            text = "\n".join([*left, text])
        self.answer(options, {"statements": left, "done": not options["dry_run"]}, text)


def statements(database: Database, shards: int) -> Iterator[str]:
    """What is left to do, in its order: tables that others refer to come first."""
    placed = database.placed()
    whole = [model._meta.db_table for model in placement.everywhere()]
    own = tables()
    yield from (f"DROP INDEX {index}" for index in database.unique_alone())
    yield from (f"SELECT create_reference_table('{one}')" for one in whole if one not in placed)
    yield from (_distributed(one, own[0], shards) for one in own if one not in placed)
    yield from (_emptied(one) for one in reversed(own) if database.holds_rows(one))


def _distributed(table: str, first: str, shards: int) -> str:
    """The first table has the shards; the rows of a service are together in the others."""
    is_first = table == first
    where = f"'none', shard_count => {shards}" if is_first else f"'{first}'"
    return f"SELECT create_distributed_table('{table}', 'service_id', colocate_with => {where})"


def _emptied(table: str) -> str:
    """Citus leaves what it has moved in the coordinator's own table."""
    return f"SELECT truncate_local_data_after_distributing_table('{table}')"
