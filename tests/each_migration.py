"""The migrations one after the other, also those that a later one replaces.

`python -m tests.each_migration NAME` migrates the database of the settings to that one. It prints
the schema, if that is the last one.
"""

import json
import subprocess
import sys
from pathlib import Path

import grant_management

from .standalone import ROOT, environment

APP = "grant_management"
LAST = max(path.stem for path in Path(grant_management.__file__).parent.glob("migrations/0*.py"))


def migrate_to(connection, name):
    """There or back; the models as they are then."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    executor.loader.replace_migrations = False
    executor.loader.build_graph()
    executor.migrate([(APP, name)])
    return executor.loader.project_state([(APP, name)]).apps


def earlier(url, name):
    """Make the database at this URL as it was after that migration; its schema."""
    env = environment(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="gm_project.settings")
    line = [sys.executable, "-m", "tests.each_migration", name]
    return json.loads(subprocess.check_output(line, cwd=ROOT, env=env, text=True))


def schema(connection):
    """Of each table of the app, what Django knows of its columns, keys and indexes, as texts."""
    from django.apps import apps

    known = connection.introspection
    with connection.cursor() as cursor:
        return {
            name: [
                sorted(map(str, known.get_table_description(cursor, name))),
                sorted(map(_shown, known.get_constraints(cursor, name).items())),
            ]
            for name in (model._meta.db_table for model in apps.get_app_config(APP).get_models())
        }


def _shown(constraint):
    name, facts = constraint
    # SQLite names some by their place in the table.
    return f"{'' if name.startswith(('fk_', '__unnamed')) else name} {facts}"


if __name__ == "__main__":
    import django
    from django.db import connection

    django.setup()
    migrate_to(connection, sys.argv[1])
    print(json.dumps(schema(connection) if sys.argv[1] == LAST else {}))
