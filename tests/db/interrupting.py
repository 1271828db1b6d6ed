"""Switches keys there and back, and ends before each statement once; prints how many there are.

The database of the settings is migrated, and has no rows.
"""

from importlib import import_module

import django
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from grant_management.migrations._keys import KeysWithinService, NumbersBySequence

MIGRATION = import_module("grant_management.migrations.0016_keys_of_services")
HOST = "CREATE TABLE host (grant_id uuid REFERENCES grant_management_grant (id))"
ALL = """
SELECT conrelid::regclass::text, contype::text, convalidated, pg_get_constraintdef(oid)
FROM pg_constraint WHERE conrelid::regclass::text ~ '^(host|grant_management)'
UNION SELECT indrelid::regclass::text, 'i', indisvalid, pg_get_indexdef(indexrelid)
FROM pg_index WHERE indrelid::regclass::text LIKE 'grant_management%'
UNION SELECT attrelid::regclass::text, attidentity::text, atthasdef, attname
FROM pg_attribute WHERE attrelid = to_regclass('grant_management_dailycount')
ORDER BY 1, 2, 4
"""
ASKS = ("SELECT 1", "SELECT indisvalid", "SELECT ARRAY", "SELECT conrelid", "SELECT attidentity")


class Interrupted(Exception):
    pass


class Changes:
    """Ends the run before its `last`-th statement that changes something; counts them."""

    def __init__(self, last):
        self.last, self.number = last, 0

    def __call__(self, execute, sql, params, many, context):
        if not sql.startswith(ASKS):
            self.number += 1
            if self.number == self.last:
                raise Interrupted(sql)
        return execute(sql, params, many, context)


def operations():
    """Those of the migration, of grants and a table of a host's that refers to them."""
    relations = [one for one in MIGRATION.RELATIONS if one[2] == "grant"]
    return [
        NumbersBySequence(["dailycount"]),
        KeysWithinService({"grant": "id"}, relations, shared=()),
    ]


def run(state, *, there, last=None):
    """The number of statements."""
    changes = Changes(last)
    with connection.execute_wrapper(changes), connection.schema_editor(atomic=False) as editor:
        for one in operations()[:: 1 if there else -1]:
            work = one.database_forwards if there else one.database_backwards
            work("grant_management", editor, state, state)
    return changes.number


def catalogue():
    with connection.cursor() as cursor:
        cursor.execute(ALL)
        return cursor.fetchall()


def interrupted_at_each(state, *, there):
    number, whole = run(state, there=there), catalogue()
    for last in range(1, number + 1):
        run(state, there=not there)
        try:
            run(state, there=there, last=last)
        except Interrupted as interrupted:
            sql = str(interrupted)
        run(state, there=there)
        assert catalogue() == whole, sql
    return number


def main():
    django.setup()
    state = MigrationLoader(connection).project_state()
    with connection.cursor() as cursor:
        cursor.execute(HOST)
    run(state, there=False)
    there = interrupted_at_each(state, there=True)
    print(there, interrupted_at_each(state, there=False))


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gm_project.settings")
    main()
