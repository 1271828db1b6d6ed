"""The system check that both sides are in one database."""

from collections.abc import Iterable
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import router

from grant_management.db import primary


def check_one_database(name: str, models: Iterable[Any], error: str) -> list[CheckMessage]:
    """An error where these models of a bridge and its server are not where this app's are.

    Tokens die on both sides in one transaction, which needs that. `name` is the server's, `error`
    the check's ID.
    """
    if {router.db_for_write(model) for model in models} == {primary.alias()}:
        return []
    message = f"{name}, grant_management and what ties them are in several databases."
    hint = "Let your DATABASE_ROUTERS send all three apps to one database."
    return [Error(message, hint=hint, id=error)]
