"""A column of a condition for which SQLite takes no index."""

from typing import Any

from django.db.models import F, Func


class Unindexed(Func):
    """A column that SQLite finds by no index, and whose condition opens no partial index.

    It is for a condition beside another one, whose index finds fewer rows. Without statistics
    SQLite takes the index of the order for the best, and may then read all rows of a service.
    """

    template = "%(expressions)s"

    def __init__(self, column: str, **extra: Any) -> None:
        super().__init__(F(column), **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """With the sign that keeps SQLite from using an index."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **extra)
