"""`DATABASE_URL`: what is taken, what is refused, and what a refusal says."""

import contextlib
import os
import subprocess
import sys

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import ConnectionHandler

from gm_project.database import url as database_url
from gm_project.database.url import parse

from ..ours import OURS
from ..standalone import ROOT, environment

SECRET = "s3cret"


def plain(url):
    """What says something, of what is read from it."""
    found = parse(url)
    options = found.pop("OPTIONS")
    return {key: value for key, value in found.items() if value != "" and key != "ENGINE"} | (
        {"OPTIONS": options} if options else {}
    )


TAKEN = {
    "postgres://u:p@h/db": {"USER": "u", "PASSWORD": "p", "HOST": "h", "NAME": "db"},
    "pgsql://h:6432/db": {"HOST": "h", "PORT": "6432", "NAME": "db"},
    "postgresql://u:p%40%2F%3F@h/d%20b": {
        "USER": "u",
        "PASSWORD": "p@/?",
        "HOST": "h",
        "NAME": "d b",
    },
    "postgresql://u:p@h1:5432,h2:5433/db?target_session_attrs=read-write": {
        "USER": "u",
        "PASSWORD": "p",
        "HOST": "h1,h2",
        "PORT": "5432,5433",
        "NAME": "db",
        "OPTIONS": {"target_session_attrs": "read-write"},
    },
    "postgresql:///db?host=a,b&port=1,2": {"HOST": "a,b", "PORT": "1,2", "NAME": "db"},
    "postgresql://u@%2Fvar%2Frun%2Fpostgresql/db": {
        "USER": "u",
        "HOST": "/var/run/postgresql",
        "NAME": "db",
    },
    "postgresql://[::1]:5/db": {"HOST": "::1", "PORT": "5", "NAME": "db"},
    "postgresql://h/db?sslmode=verify-full&sslrootcert=/a.pem&sslcert=/b.pem&sslkey=/c.pem": {
        "HOST": "h",
        "NAME": "db",
        "OPTIONS": {
            "sslmode": "verify-full",
            "sslrootcert": "/a.pem",
            "sslcert": "/b.pem",
            "sslkey": "/c.pem",
        },
    },
    "postgresql://h/db?ssl=true": {"HOST": "h", "NAME": "db", "OPTIONS": {"sslmode": "require"}},
    "postgresql://h/db?connect_timeout=5&keepalives=1&keepalives_idle=9&tcp_user_timeout=4000": {
        "HOST": "h",
        "NAME": "db",
        "OPTIONS": {
            "connect_timeout": "5",
            "keepalives": "1",
            "keepalives_idle": "9",
            "tcp_user_timeout": "4000",
        },
    },
    "postgresql://h/db?application_name=gm&options=-c%20search_path%3Dgm&passfile=/p": {
        "HOST": "h",
        "NAME": "db",
        "OPTIONS": {"application_name": "gm", "options": "-c search_path=gm", "passfile": "/p"},
    },
    "postgresql://?service=gm": {"OPTIONS": {"service": "gm"}},
    "postgresql://h/db?conn_max_age=60&conn_health_checks=false&disable_server_side_cursors=1": {
        "HOST": "h",
        "NAME": "db",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": False,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    },
    "postgresql://h/db?conn_max_age=none&prepare_threshold=none&answer_timeout=9": {
        "HOST": "h",
        "NAME": "db",
        "CONN_MAX_AGE": None,
        "OPTIONS": {"prepare_threshold": None, "answer_timeout": 9},
    },
    "postgresql://h/db?isolation_level=repeatable_read&assume_role=gm%20role": {
        "HOST": "h",
        "NAME": "db",
        "OPTIONS": {
            "isolation_level": psycopg.IsolationLevel.REPEATABLE_READ,
            "assume_role": "gm role",
        },
    },
    "postgresql://h/db?pool=true&pool_max_size=4": {
        "HOST": "h",
        "NAME": "db",
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"pool": {"timeout": 3, "max_size": 4}},
    },
    "postgresql://h/db?pool=false": {"HOST": "h", "NAME": "db"},
    "sqlite:////a/b%20c.sqlite3?timeout=5&conn_max_age=0": {
        "NAME": "/a/b c.sqlite3",
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"timeout": 5},
    },
    "sqlite:///b.sqlite3": {"NAME": "b.sqlite3"},
    "sqlite://:memory:": {"NAME": ":memory:"},
    "sqlite://": {"NAME": ":memory:"},
}


@pytest.mark.parametrize(("url", "expected"), TAKEN.items(), ids=TAKEN)
def test_taken(url, expected):
    assert plain(url) == expected


REFUSED = {
    f"postgresql://u:{SECRET}@h/db?connect_timeuot=3": "connect_timeuot",
    f"postgresql://u:{SECRET}@h/db?client_encoding=LATIN1": "client_encoding",
    f"postgresql://u:{SECRET}@h/db?timeout=3": "timeout",
    "sqlite:///x?pool=true": "pool",
    "sqlite:///x?transaction_mode=DEFERRED": "transaction_mode",
    f"postgresql://u:{SECRET}@h/db?pool={SECRET}": "pool that is not true or false",
    f"postgresql://u:p@h/db?conn_max_age={SECRET}": "conn_max_age that is not a whole number",
    f"postgresql://u:p@h/db?isolation_level={SECRET}": "isolation_level that is not read committed",
    f"postgresql://u:p@h/db?prepare_threshold={SECRET}": "prepare_threshold that is not",
    f"postgresql://u:{SECRET}@h/db?pool_max_size=4": "pool=true",
    f"postgresql://u:{SECRET}@h/db?sslmode=require&sslmode=disable": "more than once",
    f"postgresql://u:{SECRET}@h": "names no database",
    f"mysql://u:{SECRET}@h/db": "postgresql:// or sqlite://",
    f"u:{SECRET}@h/db": "postgresql:// or sqlite://",
    # Passwords with characters that a URL takes for its own.
    f"postgresql://u:a@{SECRET}@h/db": "Percent-encode",
    f"postgresql://u:a/{SECRET}@h/db": "Percent-encode",
    f"postgresql://u:{SECRET}/a@h/db": "Percent-encode",
    f"postgresql://u:a?{SECRET}=b@h/db": "Percent-encode",
    f"postgresql://u:a%{SECRET}@h/db": "Percent-encode",
    f"postgresql://u:{SECRET}": "Percent-encode",
}


@pytest.mark.parametrize(("url", "words"), REFUSED.items(), ids=range(len(REFUSED)))
def test_refused(url, words):
    """With the key and what is known, never with a value."""
    with pytest.raises(ImproperlyConfigured) as told:
        parse(url)
    said = str(told.value)
    assert said.startswith("DATABASE_URL ")
    assert words in said
    assert SECRET not in said
    assert told.value.__suppress_context__ or told.value.__context__ is None


def test_what_is_known_is_named():
    with pytest.raises(ImproperlyConfigured) as told:
        parse("postgresql://h/db?x=1")
    for key in (*database_url.libpq_keys(), *database_url.SETTINGS, *database_url.OPTIONS):
        assert f" {key}" in str(told.value)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"DATABASE_URL": f"postgresql://u:{SECRET}@h/db?x=1"}, "DATABASE_URL has x"),
        (
            {"DATABASE_URL": "postgresql://h/db", "DATABASE_TIMEOUTS": "of"},
            "DATABASE_TIMEOUTS must be one of: on, off.",
        ),
        (
            {"DATABASE_URL": "postgresql://h/db", "DATABASE_FOR": "x"},
            "DATABASE_FOR must be one of: requests, commands.",
        ),
    ],
)
def test_a_command_says_it(env, words):
    line = [sys.executable, "manage.py", "check"]
    done = subprocess.run(line, cwd=ROOT, env=environment(**env), capture_output=True, text=True)
    assert done.returncode != 0
    assert words in done.stderr
    assert SECRET not in done.stdout + done.stderr


@contextlib.contextmanager
def opened(url):
    """A connection of Django's by what is read from it."""
    connection = ConnectionHandler({"default": parse(url)})["default"]
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture
def address(db):
    """The socket's folder of the server of this run."""
    if connections[OURS].vendor != "postgresql":
        pytest.skip("needs PostgreSQL: --db postgresql")
    return psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])["host"]


def test_the_first_of_several_hosts_that_answers(address):
    """By host and by port, one of which is wrong."""
    for places in (f"host=/nowhere,{address}&port=1,5432", f"host={address},{address}&port=1,5432"):
        url = f"postgresql://postgres@/postgres?{places}&target_session_attrs=read-write"
        with opened(url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            assert cursor.fetchone() == ("postgres",)


def test_what_django_and_the_server_make_of_it(address):
    more = "isolation_level=serializable&application_name=gm&options=-c%20work_mem%3D5MB"
    url = f"postgresql://postgres@/postgres?host={address}&{more}"
    with opened(url) as connection, connection.cursor() as cursor:
        connection.set_autocommit(False)
        cursor.execute(
            "SELECT current_setting('work_mem'), current_setting('application_name'),"
            " current_setting('transaction_isolation')"
        )
        assert cursor.fetchone() == ("5MB", "gm", "serializable")
