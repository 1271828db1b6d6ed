"""Keys that begin with the service, on PostgreSQL: made beside the old ones, which then go.

Django's state keeps the key of one column, which its admin needs; SQLite's tables do too. A writer
waits for a short statement at most: indexes are made concurrently, foreign keys are checked after
they are added, and whatever locks a table gives up after `LOCK_TIMEOUT` and tries again. Each step
asks the catalogue whether it is done, so a migration that was interrupted goes on where it was.
"""

from django.db import router
from django.db.migrations.operations.base import Operation

from ._catalogue import APP, Catalogue


class KeysWithinService(Operation):
    """Primary keys of `tables` and foreign keys of `relations` that begin with `service_id`.

    `tables`: the model's name and the column of its key. `relations`: the model that refers, its
    column, and the model that it refers to. `shared`: models to which tables of other apps may
    refer by the key alone, which stays unique in them.
    """

    reduces_to_sql = False

    def __init__(self, tables, relations, shared):
        self.tables, self.relations, self.shared = dict(tables), relations, shared

    def state_forwards(self, app_label, state):
        """The models stay as they are."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if keys := self._catalogue(app_label, schema_editor, to_state):
            # Of the key alone: for servers of the version before, and foreign keys of others.
            for name, column in self.tables.items():
                is_unique = name in self.shared or keys.is_referred_to_by_others(name, self.tables)
                keys.make_index(f"gm_{name}_alone", name, [column], is_unique=is_unique)
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
        return Catalogue(connection) if is_here and connection.vendor == "postgresql" else None

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


class NumbersBySequence(Operation):
    """Identity columns become columns whose default is a sequence, which Citus can distribute."""

    reduces_to_sql = False

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
                yield Catalogue(connection), name


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


