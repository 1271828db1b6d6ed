"""Keys that begin with the service, on PostgreSQL: made beside the old ones, which then go.

Django's state keeps the key of one column, which its admin needs; SQLite's tables do too. A writer
waits for a short statement at most: indexes are made concurrently, foreign keys are checked after
they are added, and whatever locks a table gives up after `LOCK_TIMEOUT` and tries again. Each step
asks the catalogue whether it is done, so a migration that was interrupted goes on where it was.
"""

import time

from django.db import OperationalError, router, transaction
from django.db.migrations.operations.base import Operation

APP = "grant_management"
LOCK_TIMEOUT = 200
"""Milliseconds that a statement waits for its lock, and that writers may queue behind it."""
PAUSE = 0.5
"""Seconds before it is tried again: those who hold the lock go on meanwhile."""
TRIES = 600
BUSY = ("55P03", "40P01")
"""lock_not_available, deadlock_detected"""


class KeysWithinService(Operation):
    """Primary keys of `tables` and foreign keys of `relations` that begin with `service_id`.

    `tables`: the model's name and the column of its key. `relations`: the model that refers, its
    column, and the model that it refers to. `shared`: models to which tables of other apps may
    refer by the key alone, which stays unique in them.
    """

    reduces_to_sql = False
    atomic = False

    def __init__(self, tables, relations, shared):
        self.tables, self.relations, self.shared = dict(tables), relations, shared

    def state_forwards(self, app_label, state):
        """The models stay as they are."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if keys := self._catalogue(app_label, schema_editor, to_state):
            for name, column in self.tables.items():
                _index_alone(keys, name, column, is_unique=name in self.shared)
            self._switch(keys, lambda column: ["service_id", column], "fk")

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if keys := self._catalogue(app_label, schema_editor, to_state):
            self._switch(keys, lambda column: [column], "fk_alone")
            for name in self.tables:
                keys.drop_index(f"gm_{name}_alone")

    def describe(self):
        return "Begin the keys of the tables of services with the service"

    def _catalogue(self, app_label, schema_editor, state):
        """None: on SQLite, or the tables are in another database."""
        connection = schema_editor.connection
        model = state.apps.get_model(app_label, next(iter(self.tables)))
        is_here = router.allow_migrate_model(connection.alias, model)
        return Keys(connection) if is_here and connection.vendor == "postgresql" else None

    def _switch(self, keys, columns, suffix):
        """First new foreign keys, then new primary keys: what refers to a key keeps it."""
        for name, column in self.tables.items():
            if keys.primary(name) != columns(column):
                keys.make_index(f"gm_{name}_key", name, columns(column), is_unique=True)
        for child, column, parent in self.relations:
            wanted, to = columns(column), columns(self.tables[parent])
            keys.refer(f"gm_{child}_{column}_{suffix}", child, wanted, parent, to)
        for name, column in self.tables.items():
            if keys.primary(name) != columns(column):
                keys.make_primary(name, f"gm_{name}_key")
            keys.validate_those_to(name)


def _index_alone(keys, name, column, *, is_unique):
    """An index of the key alone: for servers of the version before, and foreign keys of others."""
    is_unique = is_unique or keys.is_referred_to_by_others(name)
    keys.make_index(f"gm_{name}_alone", name, [column], is_unique=is_unique)


class NumbersBySequence(Operation):
    """Identity columns become columns whose default is a sequence, which Citus can distribute."""

    reduces_to_sql = False
    atomic = False

    def __init__(self, names):
        self.names = names

    def state_forwards(self, app_label, state):
        """The models stay as they are."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        for keys, name in self._here(app_label, schema_editor, to_state):
            if keys.is_identity(name):
                keys.briefly(_to_sequence(f"{APP}_{name}"))

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        for keys, name in self._here(app_label, schema_editor, to_state):
            if not keys.is_identity(name):
                keys.briefly(_to_identity(f"{APP}_{name}"))

    def describe(self):
        return "Number the rows of the tables of services by sequences"

    def _here(self, app_label, schema_editor, state):
        connection = schema_editor.connection
        for name in self.names:
            model = state.apps.get_model(app_label, name)
            is_here = router.allow_migrate_model(connection.alias, model)
            if is_here and connection.vendor == "postgresql":
                yield Keys(connection), name


def _to_sequence(table):
    return [
        f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
        f"CREATE SEQUENCE {table}_number",
        # Where the identity's own sequence is: read before it goes.
        f"SELECT setval('{table}_number', last_value, is_called) FROM {table}_id_seq",
        f"ALTER TABLE {table} ALTER COLUMN id DROP IDENTITY",
        f"ALTER SEQUENCE {table}_number RENAME TO {table}_id_seq",
        f"ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq')",
        f"ALTER SEQUENCE {table}_id_seq OWNED BY {table}.id",
    ]


def _to_identity(table):
    return [
        f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
        f"ALTER TABLE {table} ALTER COLUMN id DROP DEFAULT",
        f"ALTER SEQUENCE {table}_id_seq RENAME TO {table}_number",
        f"ALTER TABLE {table} ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY",
        f"SELECT setval('{table}_id_seq', last_value, is_called) FROM {table}_number",
        f"DROP SEQUENCE {table}_number",
    ]


class Keys:
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

    def is_referred_to_by_others(self, name):
        """Whether a table of another app refers to it."""
        return any(not table.startswith(f"{APP}_") for table, *_ in self._to(name))

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
                f"ALTER TABLE {_table(child)} ADD CONSTRAINT {constraint}"
                f" FOREIGN KEY ({', '.join(columns)})"
                f" REFERENCES {_table(parent)} ({', '.join(to)})"
                " DEFERRABLE INITIALLY DEFERRED NOT VALID"
            ])
        self.validate_those_to(parent)
        gone = [one[1] for one in ours if one[2] != columns]
        if gone:
            dropped = ", ".join(f'DROP CONSTRAINT "{one}"' for one in gone)
            self.briefly([f"ALTER TABLE {_table(child)} {dropped}"])

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
