"""What to do about what `doctor` finds, by the number of the check; health.md says it too."""

from typing import Final

from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning

ADVICE: Final = {
    "W007": "Set DEBUG = False (standalone: unset DEBUG).",
    "W008": "Set SECRET_KEY to 50 random characters.",
    "W009": "Set ALLOWED_HOSTS to the names that clients use.",
    "W010": "Set SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE to True"
    " (standalone: set SECURE_PROXY_SSL_HEADER).",
    "W011": "Set SECURE_HSTS_SECONDS, such as to 31536000 (standalone: set"
    " SECURE_PROXY_SSL_HEADER).",
    "W012": "Set CACHES['default'] to a cache that all processes share, such as Redis.",
    "W013": "Use the Python of the distribution or of the official container image, or build it"
    " with --enable-optimizations.",
    "W014": "Serve SQLite with one worker on one machine, or use PostgreSQL.",
    "W015": "Run purge_expired every hour.",
    "W016": "Set DISABLE_SERVER_SIDE_CURSORS = True in DATABASES"
    " (standalone: disable_server_side_cursors=true in DATABASE_URL).",
    "W017": "Set them in OPTIONS['options'] (standalone: options in DATABASE_URL); behind PgBouncer"
    " by ALTER ROLE … SET.",
    "W018": "Raise max_connections, or the limit of the role or the database; run fewer workers or"
    " threads; or put PgBouncer in between.",
    "E017": "Check that the database runs and takes writes, and DATABASES (standalone:"
    " DATABASE_URL; behind PgBouncer DATABASE_TIMEOUTS=off too).",
    "E018": "Run migrate.",
    "W019": "Run copy_services; import a service that is not in its own database yet.",
}


def found(number: str, message: str) -> CheckMessage:
    """The message of a check, with the advice for it; `number` is a key of `ADVICE`."""
    kind = Error if number.startswith("E") else CheckWarning
    return kind(message, hint=ADVICE[number], id=f"grant_management.{number}")
