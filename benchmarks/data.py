"""Grants by the million, made by SQL: `python -m benchmarks.data --grants 1000000`.

Grant `i` is `g-<i>` of client `client-<i % clients>` for subject `subject-<i % subjects>`; its
access token has the value `access-<i>`, its refresh token `refresh-<i>`. A run that was interrupted
goes on where it stopped when it is started again. It ends early when its time or the disk runs out.
"""

import argparse
import hashlib
import os
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

CHUNK = 50_000
"""Grants that one statement makes; a transaction makes as many."""
BYTES_EACH = 4_000
"""Bytes on disk for a grant with its tokens, its event and their indexes; a high estimate."""
SPAN = timedelta(days=730)
"""The grants were created during this time, which ends with the last midnight (UTC)."""
FIRST_SERVICE = 1001


@dataclass(frozen=True)
class Size:
    """How many grants, clients and subjects to make."""

    grants: int
    clients: int = 1_000
    subjects: int = 200_000


class SQLite:
    """The SQL of SQLite for the values of the rows."""

    series = (
        "(WITH RECURSIVE s(i) AS"
        " (SELECT {start} UNION ALL SELECT i + 1 FROM s WHERE i + 1 < {stop})"
        " SELECT i FROM s) AS numbers"
    )
    digest = "sha256('{name}-' || i)"
    number = "printf('%010d', i)"
    key = "printf('%012x7%03x8%015x', {ms} + i * {step}, {service}, i * 4 + {kind})"
    moment = "datetime({at}, 'unixepoch') || '.000000'"
    random_key = "lower(hex(randomblob(16)))"

    @staticmethod
    def prepare(connection):
        """Add a function for SHA-256, which SQLite lacks; and keep the indexes in memory, into
        which digests go everywhere. The rows that new ones name are not looked up: they are there.
        """
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -1000000")
            cursor.execute("PRAGMA foreign_keys = OFF")
        sha256 = hashlib.sha256
        connection.connection.create_function(
            "sha256", 1, lambda text: sha256(text.encode()).digest(), deterministic=True
        )

    @staticmethod
    def trust(cursor):
        """Nothing: SQLite cannot change that in a transaction."""


class PostgreSQL:
    """The SQL of PostgreSQL for the values of the rows."""

    series = "generate_series({start}, {stop} - 1) AS numbers(i)"
    digest = "sha256(convert_to('{name}-' || i, 'UTF8'))"
    number = "lpad(i::text, 10, '0')"
    key = (
        "(lpad(to_hex({ms} + i::bigint * {step}), 12, '0')"
        " || '7' || lpad(to_hex({service}), 3, '0')"
        " || '8' || lpad(to_hex(i::bigint * 4 + {kind}), 15, '0'))::uuid"
    )
    moment = "to_timestamp({at})"
    random_key = "gen_random_uuid()"

    @staticmethod
    def prepare(connection):
        """Commit without waiting for the disk: what a crash loses can be made again."""
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")

    @staticmethod
    def trust(cursor):
        """Until the transaction ends, look up none of the rows that new ones name, if that is
        allowed: most of the time would go there, and these rows name what there is.
        """
        cursor.execute(
            "SELECT set_config('session_replication_role', 'replica', true)"
            " WHERE current_setting('is_superuser') = 'on'"
        )


def fill(size, *, service=FIRST_SERVICE, seconds=None, report=lambda done: None, is_analyzed=True):
    """Make grants until there are `size.grants`; the number that there are at the end.

    It is smaller where `seconds` have passed or the disk is nearly full. `report` gets the number
    after each chunk. Not `is_analyzed`: the caller makes more rows, and calls `analyze`.
    """
    from django.db import connection

    words = words_of(connection)
    _make_tenant(service, size)
    done, began = _done(service), time.monotonic()
    while done < size.grants and _is_room():
        if seconds is not None and time.monotonic() - began > seconds:
            break
        stop = min(done + CHUNK, size.grants)
        _make(connection, words, service, size, done, stop)
        done = stop
        report(done)
    if is_analyzed:
        analyze(connection)
    return done


def add_tokens(number, count, service=FIRST_SERVICE, **others):
    """Add access tokens to grant `number`: copies of its own token with other keys and digests.

    `others`: further columns that have another value, as text.
    """
    from django.db import connection

    from grant_management.models import AccessToken

    words = words_of(connection)
    columns = {field.column: f"token.{field.column}" for field in AccessToken._meta.concrete_fields}
    columns |= {"id": words.random_key, "digest": words.digest.format(name=f"more-{number}")}
    columns |= {name: f"'{value}'" for name, value in others.items()}
    names, values = ", ".join(columns), ", ".join(columns.values())
    table = AccessToken._meta.db_table
    series = words.series.format(start=0, stop=count)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} AS token, {series}"
            " WHERE token.service_id = %s AND token.digest = %s ON CONFLICT DO NOTHING",
            [service, hashlib.sha256(f"access-{number}".encode()).digest()],
        )


def words_of(connection):
    """The SQL of this database; the connection is prepared for it."""
    words = {"sqlite": SQLite, "postgresql": PostgreSQL}[connection.vendor]
    words.prepare(connection)
    return words


def _make_tenant(service, size):
    from grant_management.models import Client, Organization, Service

    organization = Organization.objects.get_or_create(id=1, defaults={"name": "Example Bank"})[0]
    values = {
        "organization": organization,
        "name": f"Retail {service}",
        "grant_management_endpoint": "https://as.example.com/gm",
    }
    row = Service.objects.get_or_create(id=service, defaults=values)[0]
    clients = [
        Client(id=service * 10**6 + number, service=row, client_id=f"client-{number}")
        for number in range(size.clients)
    ]
    Client.objects.bulk_create(clients, ignore_conflicts=True, batch_size=500)


def _done(service):
    from grant_management.models import Grant

    last = Grant.objects.filter(service=service).order_by("-grant_id").first()
    return 0 if last is None else int(last.grant_id.removeprefix("g-")) + 1


def _is_room():
    """Whether the disk has room for another chunk, and some more."""
    return shutil.disk_usage(os.getcwd()).free > 4 * CHUNK * BYTES_EACH


def _make(connection, words, service, size, start, stop):
    from django.db import transaction

    from grant_management.models import AccessToken, Grant, GrantEvent, RefreshToken

    with transaction.atomic(), connection.cursor() as cursor:
        words.trust(cursor)
        for model, kind in ((Grant, 0), (AccessToken, 1), (RefreshToken, 2), (GrantEvent, 3)):
            insert(cursor, words, model, _columns(model, words, service, size, kind), start, stop)


def insert(cursor, words, model, columns, start, stop):
    """Make the rows from `start` up to `stop`; `columns` has the SQL of each column's value."""
    names, values = ", ".join(columns), ", ".join(columns.values())
    series = words.series.format(start=start, stop=stop)
    cursor.execute(f"INSERT INTO {model._meta.db_table} ({names}) SELECT {values} FROM {series}")


def midnight():
    """The last midnight (UTC)."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _columns(model, words, service, size, kind):
    """The columns of a table, each with the SQL of its value for number `i`."""
    now = midnight()
    step = SPAN.total_seconds() / max(size.grants, 1)
    first = int((now - SPAN).timestamp())
    created = words.moment.format(at=f"{first} + CAST(i * {step} AS bigint)")
    later = words.moment.format(at=f"{int(now.timestamp())} + 315360000 + i % 86400")
    key = {"ms": first * 1_000, "step": int(step * 1_000), "service": service % 4_096}
    client, subject = f"(i % {size.clients})", f"'subject-' || (i % {size.subjects})"
    own = {
        "id": words.key.format(kind=kind, **key),
        "service_id": str(service),
        "subject": subject,
    }
    grant = words.key.format(kind=0, **key)
    name = model.__name__
    if name == "GrantEvent":
        return own | {
            "kind": "'created'",
            "at": created,
            "actor_kind": "'client'",
            "actor_id": "''",
            "actor": f"'client-' || {client}",
            "client_id": f"'client-' || {client}",
            "grant_id": f"'g-' || {words.number}",
            "reason": "''",
            "note": "''",
            "ticket": "''",
            "details": "'{}'",
        }
    own["client_id"] = f"{service * 10**6} + {client}"
    if name == "Grant":
        # One in ten is revoked, one in twenty has another authorization type.
        return own | {
            "grant_id": f"'g-' || {words.number}",
            "scopes": '\'[{"scope":"openid"}]\'',
            "claims": "''",
            "authorization_details": (
                'CASE WHEN i % 20 = 0 THEN \'[{"type":"payment_initiation"}]\''
                ' ELSE \'[{"type":"account_information"}]\' END'
            ),
            "created_at": created,
            "updated_by": "''",
            "revoked_at": f"CASE WHEN i % 10 = 9 THEN {created} END",
            "expires_at": f"CASE WHEN i % 7 = 0 THEN {later} END",
            "pending": "CAST(0 AS boolean)" if words is PostgreSQL else "0",
            "access_generation": "CASE WHEN i % 10 = 9 THEN 1 ELSE 0 END",
            "refresh_generation": "CASE WHEN i % 10 = 9 THEN 1 ELSE 0 END",
        }
    token = own | {
        "grant_id": grant,
        "digest": words.digest.format(name="access" if name == "AccessToken" else "refresh"),
        "scopes": "'grant_management_query grant_management_revoke'",
        "issued_at": created,
        "expires_at": later,
        "generation": "0",
        "jkt": "''",
        "x5t_s256": "''",
    }
    return token if name == "AccessToken" else token | {"family": own["id"]}


def analyze(connection):
    """Update the statistics of the planner."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def revive():
    """Make the grants that a benchmark revoked live again; those created as revoked stay so."""
    from grant_management.models import Grant

    revoked = Grant.objects.filter(service=FIRST_SERVICE, revoked_at__isnull=False)
    ours = revoked.exclude(grant_id__endswith="9")
    return ours.update(revoked_at=None, access_generation=0, refresh_generation=0)


WARM = (
    "SELECT count(digest) FROM grant_management_accesstoken WHERE service_id = %s",
    "SELECT count(scopes), count(jkt) FROM grant_management_accesstoken"
    " WHERE service_id = %s AND client_id > 0",
    "SELECT count(scopes) FROM grant_management_grant"
    " WHERE service_id = %s AND id >= '00000000-0000-0000-0000-000000000000'",
)
"""Statements that read, by index, what a call reads. A scan of a large table would leave nothing in
PostgreSQL's cache.
"""


def warm(connection):
    """Fill the cache as some hours of calls would, if it is large enough."""
    with connection.cursor() as cursor:
        for setting in ("enable_seqscan", "enable_bitmapscan"):
            cursor.execute(f"SET {setting} = off")
        for statement in WARM:
            cursor.execute(statement, [FIRST_SERVICE])


def _set_up():
    """Django's set-up. SystemExit: this interpreter has no Django."""
    try:
        import django
    except ModuleNotFoundError:
        sys.exit(
            "This Python has no Django. `python3 run.py check` sets .venv up; then run:"
            " .venv/bin/python -m benchmarks.data"
        )
    django.setup()


def main():
    """Make the grants, and print how many there are. Exit code 0, even if time or disk ran out."""
    parser = argparse.ArgumentParser(prog="benchmarks.data", description=__doc__)
    parser.add_argument("--grants", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, help="stop after so long")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gm_project.settings")
    os.environ.setdefault("DATABASE_FOR", "commands")
    _set_up()
    from django.core.management import call_command

    from grant_management.management.progress import progress

    call_command("migrate", verbosity=0)
    with progress("Making grants", options.grants) as advance:
        done = [0]

        def report(number):
            advance(number - done[0])
            done[0] = number

        made = fill(Size(options.grants), seconds=options.seconds, report=report)
    print(f"{made:,} grants, with as many access tokens, refresh tokens and events.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
