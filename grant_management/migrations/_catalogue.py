"""The keys that the catalogue of PostgreSQL has, and the statements that change them.

Whatever locks a table gives up after `LOCK_TIMEOUT`, so that writers do not queue behind it for
longer, and tries again.
"""

import time

from django.db import OperationalError, transaction

APP = "grant_management"
LOCK_TIMEOUT = 200
"""Milliseconds that a statement waits for its lock, and that writers may queue behind it."""
PAUSE = 0.5
"""Seconds before it is tried again: those who hold the lock go on meanwhile."""
TRIES = 600
BUSY = ("55P03", "40P01")
"""lock_not_available, deadlock_detected"""


class Catalogue:
    """The keys that the catalogue of a database has, and the statements that change them."""

    def __init__(self, connection):
        self._connection = connection

    def rows(self, sql, *values):
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def briefly(self, statements):
        """Run them in one transaction that waits for no lock longer than `LOCK_TIMEOUT`."""
        for left in reversed(range(TRIES)):
            try:
                with transaction.atomic(using=self._connection.alias):
                    self.rows(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}")
                    for one in statements:
                        self.rows(one)
                return
            except OperationalError as error:
                if not left or getattr(error.__cause__, "sqlstate", None) not in BUSY:
                    raise
                time.sleep(PAUSE)

    def primary(self, name):
        """The columns of the primary key, in their order."""
        found = self.rows(f"SELECT {_NAMES} FROM pg_constraint WHERE {_ITS_PRIMARY}", _table(name))
        return found[0][0]

    def is_identity(self, name):
        found = self.rows(_IDENTITY, _table(name))
        return found != [("",)]

    def is_referred_to_by_others(self, name, own):
        """Whether a table refers to it that is none of `own`."""
        tables = {_table(one) for one in own}
        return any(table not in tables for table, *_ in self._to(name))

    def make_index(self, index, name, columns, *, is_unique):
        """Make it, unless a valid one is there."""
        if self.rows(_VALID, index) == [(True,)]:
            return
        self.rows(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")  # what an interrupt left
        unique = "UNIQUE " if is_unique else ""
        listed = ", ".join(columns)
        self.rows(f"CREATE {unique}INDEX CONCURRENTLY {index} ON {_table(name)} ({listed})")

    def drop_index(self, index):
        """Drop it, unless a foreign key needs it."""
        if not self.rows("SELECT 1 FROM pg_constraint WHERE conindid = to_regclass(%s)", index):
            self.rows(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")

    def refer(self, constraint, child, columns, parent, to):
        """A foreign key of these columns in the place of any other from `child` by the last one."""
        from_child = [one for one in self._to(parent) if one[0] == _table(child)]
        ours = [one for one in from_child if one[2][-1] == columns[-1]]
        if not any(one[2] == columns for one in ours):
            self.briefly([
                _lock(parent, "SHARE ROW EXCLUSIVE"),
                f"ALTER TABLE {_table(child)} ADD CONSTRAINT {constraint}"
                f" FOREIGN KEY ({', '.join(columns)})"
                f" REFERENCES {_table(parent)} ({', '.join(to)})"
                " DEFERRABLE INITIALLY DEFERRED NOT VALID"
            ])
        self.validate_those_to(parent)
        gone = [one[1] for one in ours if one[2] != columns]
        if gone:
            dropped = ", ".join(f'DROP CONSTRAINT "{one}"' for one in gone)
            dropping = f"ALTER TABLE {_table(child)} {dropped}"
            self.briefly([_lock(parent, "ACCESS EXCLUSIVE"), dropping])

    def validate_those_to(self, parent):
        """Check the rows of each foreign key that was added without. Writers go on meanwhile."""
        for table, constraint, _columns, is_valid, _text in self._to(parent):
            if not is_valid:
                self.rows(f'ALTER TABLE {table} VALIDATE CONSTRAINT "{constraint}"')

    def make_primary(self, name, index):
        """Make the index the primary key. Keys of other apps that need the old one are moved."""
        table, key = _table(name), f"{_table(name)}_pkey"
        moved = self._to(name, f" AND conindid = to_regclass('{key}')")
        self.briefly([
            _lock(name, "ACCESS EXCLUSIVE"),
            *(f'ALTER TABLE {child} DROP CONSTRAINT "{one}"' for child, one, *_ in moved),
            f"ALTER TABLE {table} DROP CONSTRAINT {key},"
            f" ADD CONSTRAINT {key} PRIMARY KEY USING INDEX {index}",
            *(
                f'ALTER TABLE {child} ADD CONSTRAINT "{one}" {text} NOT VALID'
                for child, one, _columns, _is_valid, text in moved
            ),
        ])

    def _to(self, parent, condition=""):
        """Foreign keys to a table: the table that refers, the name, columns, whether its rows were
        checked, and its definition.
        """
        return self.rows(_FOREIGN + condition + " ORDER BY conname", _table(parent))


def _table(name):
    return f"{APP}_{name}"


def _lock(parent, mode):
    """A change of a foreign key takes the table that refers first, a writer the one that it refers
    to: in that order each would wait for the other.
    """
    return f"LOCK TABLE {_table(parent)} IN {mode} MODE"


_NAMES = (
    "ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(number, place)"
    " JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place)"
)
_ITS_PRIMARY = "conrelid = to_regclass(%s) AND contype = 'p'"
_FOREIGN = (
    f"SELECT conrelid::regclass::text, conname::text, {_NAMES}, convalidated,"
    " pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE confrelid = to_regclass(%s) AND contype = 'f'"
)
_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
_IDENTITY = (
    "SELECT attidentity::text FROM pg_attribute"
    " WHERE attrelid = to_regclass(%s) AND attname = 'id'"
)
