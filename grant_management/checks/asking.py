"""System checks that ask the app's database: one way to register them."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register
from django.db import Error

from ..db import apart, primary

Check = Callable[[Any], list[CheckMessage]]


def of_database(*, deploy: bool = False) -> Callable[[Check], Callable[..., list[CheckMessage]]]:
    """Register a check that gets the connection to the app's database, if that may be asked;
    where services live apart, to each.

    `deploy`: it runs with `check --deploy` alone. A database that cannot be asked is reported
    elsewhere, so the check finds nothing then.
    """

    def registered(check: Check) -> Callable[..., list[CheckMessage]]:
        def checked(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
            asked = [alias for alias in apart.databases() if alias in (databases or ())]
            return [message for alias in asked for message in _found(check, alias)]

        checked.__doc__ = check.__doc__
        register(checked, Tags.database, deploy=deploy)
        return checked

    return registered


def _found(check: Check, alias: str) -> list[CheckMessage]:
    try:
        with apart.database(alias):
            return check(primary.connection())
    except Error:
        return []
