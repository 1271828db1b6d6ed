"""The index of a grant's tokens begins with the grant, since the database's own check of the
foreign key looks for it: where a grant was deleted, it read all tokens.

On PostgreSQL no writer waits for it, and it can be run again after it was interrupted. Adding is
before removing, so that there is an index at any time.
"""

from django.db import migrations, models


class AddIndex(migrations.AddIndex):
    """Without blocking writers on PostgreSQL."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        _add(schema_editor, self.model(app_label, schema_editor, to_state), self.index)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        _remove(schema_editor, self.model(app_label, schema_editor, from_state), self.index)

    def model(self, app_label, schema_editor, state):
        return _model(app_label, self.model_name, schema_editor, state)


class RemoveIndex(migrations.RemoveIndex):
    """Without blocking writers on PostgreSQL."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        model = _model(app_label, self.model_name, schema_editor, from_state)
        index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        _remove(schema_editor, model, index)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        model = _model(app_label, self.model_name, schema_editor, to_state)
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        _add(schema_editor, model, index)


def _model(app_label, name, schema_editor, state):
    from django.db import router

    model = state.apps.get_model(app_label, name)
    is_here = router.allow_migrate_model(schema_editor.connection.alias, model)
    return model if is_here else None


def _add(schema_editor, model, index):
    if model is None:
        return
    if schema_editor.connection.vendor != "postgresql":
        schema_editor.add_index(model, index)
        return
    # One that was interrupted left an index that is not valid.
    schema_editor.remove_index(model, index, concurrently=True)
    schema_editor.add_index(model, index, concurrently=True)


def _remove(schema_editor, model, index):
    if model is not None:
        concurrently = schema_editor.connection.vendor == "postgresql"
        schema_editor.remove_index(model, index, **({"concurrently": True} if concurrently else {}))


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY has to be outside of a transaction

    dependencies = [("grant_management", "0005_purge_run")]

    operations = [
        operation
        for token in ("accesstoken", "refreshtoken")
        for operation in (
            AddIndex(
                model_name=token,
                index=models.Index(fields=["grant", "service", "-id"], name=f"gm_{token}_grant"),
            ),
            RemoveIndex(model_name=token, name=f"gm_{token}_tokens"),
        )
    ]
