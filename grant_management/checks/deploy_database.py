"""System checks that ask the database of a server in production: `check --deploy --database
default` and `doctor`.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.core.checks import CheckMessage

from ..db import clock
from ..db.pooler import pools_transactions
from ..management.advice import found
from ..models import Grant, Service
from ..models.purge import EXPIRING, expired
from .asking import of_database

OVERDUE: Final = timedelta(hours=6)
"""How old an expired row may be: the purge runs every hour."""
TIMEOUTS: Final = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
_OFF: Final = "SELECT name FROM pg_settings WHERE setting = '0' AND name = ANY(%s)"


@of_database(deploy=True)
def check_purge(connection: Any) -> list[CheckMessage]:
    """W015: rows expired hours ago, and were not purged. It asks the indexes of each service."""
    before = clock.now() - OVERDUE
    if not any(_has_expired(service, before) for service in Service.objects.iterator()):
        return []
    hours = OVERDUE // timedelta(hours=1)
    return [found("W015", f"Rows that expired more than {hours} hours ago were not purged.")]


@of_database(deploy=True)
def check_cursors(connection: Any) -> list[CheckMessage]:
    """W016: a server-side cursor is open in a session that the next statement may not meet."""
    is_off = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False)
    if connection.vendor != "postgresql" or is_off or not pools_transactions(connection):
        return []
    return [found("W016", "Server-side cursors break behind a pooler in transaction mode.")]


@of_database(deploy=True)
def check_timeouts(connection: Any) -> list[CheckMessage]:
    """W017: a wait for the database has no end. It asks what is in force on this connection."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(_OFF, [list(TIMEOUTS)])
        off = {name for (name,) in cursor.fetchall()}
    names = ", ".join(name for name in TIMEOUTS if name in off)
    return [found("W017", f"No end is set to waits for the database: {names} is 0.")] if off else []


def _has_expired(service: Service, before: datetime) -> bool:
    """Grants are left out: whether one was never claimed is not found by an index."""
    models = (model for model in EXPIRING if model is not Grant)
    return any(expired(model, service, before).exists() for model in models)
