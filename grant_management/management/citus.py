"""What `distribute` asks of a database: whether it can be a Citus cluster, and how far it is."""

from typing import Any, Final, NamedTuple

from ..models import placement

OLDEST: Final = 13
"""The major version of Citus that was tried."""


class Refused(NamedTuple):
    """Why a database cannot be distributed: a code, and a sentence for an operator."""

    code: str
    reason: str


class Database:
    """The catalogue of PostgreSQL and of Citus, over one connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def refused(self) -> Refused | None:
        """The first reason why it cannot be distributed; None: it can."""
        if self._connection.vendor != "postgresql":
            return Refused("not_postgresql", "Only a database of PostgreSQL can be distributed.")
        return (
            self._lacks_citus()
            or self._lacks_tables()
            or self._is_referred_to()
            or self._lacks_keys()
            or self._is_distributed_otherwise()
        )

    def placed(self) -> dict[str, tuple[str, int]]:
        """The tables that are placed: how each is ("h": by a hash, "t": whole on each node), and
        the number of its colocation group.
        """
        return {table: (method, group) for table, method, group in self.rows(_PLACED)}

    def unique_alone(self) -> list[str]:
        """The unique indexes of a key alone that the migrations left for tables of other apps. A
        distributed table cannot have them.
        """
        return [index for _table, index in self._lacking_service(tables()) if _is_left(index)]

    def holds_rows(self, table: str) -> bool:
        """Whether the coordinator's own part of a table takes space: rows from before."""
        return bool(self.value("SELECT pg_relation_size(to_regclass(%s))", table))

    def run(self, sql: str) -> None:
        """Run one statement, which commits itself."""
        self.rows(sql)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql: str, *values: Any) -> Any:
        """The first value of the first row."""
        return self.rows(sql, *values)[0][0]

    def _lacks_citus(self) -> Refused | None:
        if self.value("SELECT to_regproc('citus_version') IS NULL"):
            return Refused("no_citus", "The extension citus is not in this database.")
        said = str(self.value("SELECT citus_version()"))
        version = said.split()[1].partition(".")[0] if len(said.split()) > 1 else ""
        if not version.isdigit() or int(version) < OLDEST:
            reason = f"{said.partition(' on ')[0]} is too old: Citus {OLDEST} or later is needed."
            return Refused("citus_too_old", reason)
        if self.value("SELECT groupid FROM pg_dist_local_group") != 0:
            return Refused("not_coordinator", "This is a worker: connect to the coordinator.")
        if not self.rows("SELECT 1 FROM citus_get_active_worker_nodes()"):
            return Refused("no_workers", "No worker is active: add nodes by citus_add_node first.")
        return None

    def _lacks_tables(self) -> Refused | None:
        if any(self.value("SELECT to_regclass(%s) IS NULL", table) for table in tables()):
            return Refused("not_migrated", "Tables are missing: run migrate first.")
        return None

    def _is_referred_to(self) -> Refused | None:
        """Tables that stay on the coordinator cannot refer to rows on other nodes."""
        others = sorted({table for (table,) in self.rows(_FOREIGN, tables(), tables())})
        bridges = [one for one in others if one.startswith(f"{placement.APP}_")]
        if bridges:
            reason = f"Tables of a bridge refer to grants: {', '.join(bridges)}."
            return Refused("bridge", f"{reason} A bridge needs all tables on one node.")
        if others:
            reason = f"Tables of other apps refer to tables of services: {', '.join(others)}."
            return Refused("referred_to", f"{reason} Drop these foreign keys first.")
        return None

    def _lacks_keys(self) -> Refused | None:
        """Keys that do not begin with the service. Those that `distribute` drops do not count."""
        found = self._lacking_service(tables())
        alone = [f"{table} ({index})" for table, index in found if not _is_left(index)]
        if alone:
            named = ", ".join(alone)
            return Refused("keys", f"Keys without the service: {named}. Run migrate first.")
        return None

    def _lacking_service(self, of: list[str]) -> list[tuple[Any, ...]]:
        """Tables, and unique indexes of theirs that do not begin with the service."""
        return self.rows(_KEYS, of)

    def _is_distributed_otherwise(self) -> Refused | None:
        placed = self.placed()
        hashed = set(tables())
        whole = {model._meta.db_table for model in placement.everywhere()}
        groups = {placed[one][1] for one in hashed if one in placed}
        wrong = [one for one in hashed if placed.get(one, ("h", 0))[0] != "h"]
        wrong += [one for one in whole if placed.get(one, ("t", 0))[0] != "t"]
        if len(groups) > 1 or wrong:
            named = ", ".join(sorted(wrong)) or "tables of services, in several groups"
            return Refused("placed_otherwise", f"Citus places these tables otherwise: {named}.")
        return None


def tables() -> list[str]:
    """The tables of services; one follows those that it refers to."""
    return [model._meta.db_table for model in placement.of_service()]


def _is_left(index: str) -> bool:
    return index.startswith("gm_") and index.endswith("_alone")


_PLACED: Final = """
SELECT logicalrelid::regclass::text,
CASE partmethod WHEN 'n' THEN repmodel ELSE partmethod END::text, colocationid
FROM pg_dist_partition WHERE partmethod <> 'n' OR repmodel = 't' OR colocationid <> 0
"""
"""Without the tables that Citus merely knows: it adds each local one that foreign keys connect with
one that is placed (method "n", replication "s", in no group). They are placed later as others are.
"""
_KEYS: Final = """
SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index
WHERE indisunique AND indrelid::regclass::text = ANY(%s)
AND pg_get_indexdef(indexrelid, 1, false) <> 'service_id'
ORDER BY 1, 2
"""
_FOREIGN: Final = """
SELECT conrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND confrelid::regclass::text = ANY(%s)
AND NOT conrelid::regclass::text = ANY(%s)
"""
