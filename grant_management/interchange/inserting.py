"""New rows into a table, many at a time."""

from typing import Any

from django.db import connections, models, router

try:
    from psycopg import sql
except ImportError:  # another driver than psycopg 3, or none
    sql = None  # type: ignore[assignment]


def insert(model: type[models.Model], rows: list[Any]) -> None:
    """All of the rows, or an error and none of them.

    By COPY where PostgreSQL takes the model's values as they are: Django's INSERT spends most of
    its time on making SQL.
    """
    using = router.db_for_write(model)
    connection = connections[using]
    if sql is None or connection.vendor != "postgresql" or _has_json(model):
        model._default_manager.using(using).bulk_create(rows)
    else:
        _copy(connection, model, rows)


def _has_json(model: type[models.Model]) -> bool:
    return any(isinstance(field, models.JSONField) for field in model._meta.concrete_fields)


def _copy(connection: Any, model: type[models.Model], rows: list[Any]) -> None:
    fields = model._meta.concrete_fields
    names = [field.attname for field in fields]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields),
    )
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.cursor.copy(statement) as copy,
    ):
        for row in rows:
            values = row.__dict__
            copy.write_row([values[name] for name in names])
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
