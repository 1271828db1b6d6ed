"""Indexes of large tables, which are made and removed without blocking writers on PostgreSQL.

`CREATE INDEX CONCURRENTLY` has to be outside of a transaction, so it belongs into a migration that is
not atomic. Such a migration can be run again after it was interrupted: an index that was left
invalid is made anew. On SQLite, which has one writer, these are Django's own operations.
"""

from django.db import migrations, router
from django.db.migrations.operations.base import Operation


class AddIndex(migrations.AddIndex):
    """Add an index, in a migration that is not atomic."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        _add(schema_editor, _model(self, app_label, schema_editor, to_state), self.index)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        _remove(schema_editor, _model(self, app_label, schema_editor, from_state), self.index)


class RemoveIndex(migrations.RemoveIndex):
    """Remove an index, in a migration that is not atomic."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        _remove(schema_editor, _model(self, app_label, schema_editor, from_state), index)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        _add(schema_editor, _model(self, app_label, schema_editor, to_state), index)


class _Later:
    """On PostgreSQL a later migration, which is not atomic, does what this operation says."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if not _is_postgresql(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if not _is_postgresql(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class AddIndexLater(_Later, migrations.AddIndex):
    """`AddMissingIndex` adds it."""


class RemoveIndexLater(_Later, migrations.RemoveIndex):
    """`RemoveLeftIndex` removes it, or `AddIndex` replaces it by one of the same name."""


class AddMissingIndex(Operation):
    """Make an index that an earlier migration left to this one, unless it is there."""

    def __init__(self, model_name, name):
        self.model_name, self.name = model_name, name

    def state_forwards(self, app_label, state):
        """The earlier migration changed the state."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if _is_postgresql(schema_editor) and not _is_valid(schema_editor, self.name):
            model = _model(self, app_label, schema_editor, to_state)
            _add(schema_editor, model, self._index(app_label, to_state))

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if _is_postgresql(schema_editor):
            model = _model(self, app_label, schema_editor, to_state)
            _remove(schema_editor, model, self._index(app_label, to_state))

    def describe(self):
        return f"Add index {self.name} of {self.model_name}, if it is missing"

    def _index(self, app_label, state):
        return state.models[app_label, self.model_name].get_index_by_name(self.name)


class RemoveLeftIndex(Operation):
    """Remove an index that an earlier migration left to this one."""

    def __init__(self, model_name, index):
        self.model_name, self.index = model_name, index

    def state_forwards(self, app_label, state):
        """The earlier migration changed the state."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if _is_postgresql(schema_editor):
            _remove(schema_editor, _model(self, app_label, schema_editor, to_state), self.index)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if _is_postgresql(schema_editor):
            _add(schema_editor, _model(self, app_label, schema_editor, to_state), self.index)

    def describe(self):
        return f"Remove index {self.index.name} of {self.model_name}, if it is there"


def _model(operation, app_label, schema_editor, state):
    """The operation's model; None: its table is in another database."""
    model = state.apps.get_model(app_label, operation.model_name)
    is_here = router.allow_migrate_model(schema_editor.connection.alias, model)
    return model if is_here else None


def _is_postgresql(schema_editor):
    return schema_editor.connection.vendor == "postgresql"


def _is_valid(schema_editor, name):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [name]
        )
        return cursor.fetchone() == (True,)


def _add(schema_editor, model, index):
    if model is None:
        return
    if not _is_postgresql(schema_editor):
        schema_editor.add_index(model, index)
        return
    # One that was interrupted left an index that is not valid.
    schema_editor.remove_index(model, index, concurrently=True)
    schema_editor.add_index(model, index, concurrently=True)


def _remove(schema_editor, model, index):
    if model is not None:
        concurrently = {"concurrently": True} if _is_postgresql(schema_editor) else {}
        schema_editor.remove_index(model, index, **concurrently)
