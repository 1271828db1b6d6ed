"""`DATABASE_URL`: what libpq takes, and what Django adds to it; anything else is refused.

No message shows the URL or a value of it: a password that is not percent-encoded may end up in any
part of it.
"""

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError, pq
from psycopg.conninfo import conninfo_to_dict

POSTGRESQL: Final = ("postgresql", "postgres", "pgsql")
SQLITE: Final = "sqlite"

Rule = tuple[str, Callable[[str], Any], str]
"""The key in `DATABASES` or its `OPTIONS`, the parser of a value, and what a value must be."""


def _flag(value: str) -> bool:
    return {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}[
        value.lower()
    ]


def _number(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise ValueError
    return int(value)


def _number_or_none(value: str) -> int | None:
    return None if value.lower() == "none" else _number(value)


def _level(value: str) -> int:
    """PostgreSQL's name of an isolation level, as psycopg's number of it (`IsolationLevel`)."""
    names = ("read uncommitted", "read committed", "repeatable read", "serializable")
    return names.index(value.lower().replace("_", " ").replace("-", " ")) + 1


FLAG: Final = "true or false"
NUMBER: Final = "a whole number"
OR_NONE: Final = "a whole number, or none"
LEVEL: Final = "read committed, repeatable read or serializable"
SETTINGS: Final[dict[str, Rule]] = {
    "conn_max_age": ("CONN_MAX_AGE", _number_or_none, OR_NONE),
    "conn_health_checks": ("CONN_HEALTH_CHECKS", _flag, FLAG),
    "disable_server_side_cursors": ("DISABLE_SERVER_SIDE_CURSORS", _flag, FLAG),
}
"""Keys of the URL for `DATABASES` itself."""
OPTIONS: Final[dict[str, Rule]] = {
    "pool": ("pool", _flag, FLAG),
    "pool_min_size": ("min_size", _number, NUMBER),
    "pool_max_size": ("max_size", _number, NUMBER),
    "isolation_level": ("isolation_level", _level, LEVEL),
    "assume_role": ("assume_role", str, "the name of a role"),
    "prepare_threshold": ("prepare_threshold", _number_or_none, OR_NONE),
    "server_side_binding": ("server_side_binding", _flag, FLAG),
    "answer_timeout": ("answer_timeout", _number_or_none, OR_NONE),
}
"""Keys of the URL for `OPTIONS` of PostgreSQL, besides those of libpq."""
OF_POOL: Final = ("min_size", "max_size")
OF_SQLITE: Final[dict[str, Rule]] = {"timeout": ("timeout", _number, NUMBER)}
"""Keys of the URL for `OPTIONS` of SQLite."""
NOT_TAKEN: Final = ("client_encoding", "replication")
"""Of libpq: Django sets the first, and the second is for programs that read the WAL."""
PARTS: Final = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def libpq_keys() -> list[str]:
    """The parameters of the libpq that is installed, without those that are not taken."""
    known = [option.keyword.decode() for option in pq.Conninfo.get_defaults()]
    return [name for name in known if name not in NOT_TAKEN]


def parse(url: str) -> dict[str, Any]:
    """The database of a URL, as an entry of `DATABASES`. ImproperlyConfigured: it is refused."""
    scheme, _, rest = url.partition("://")
    base, _, query = rest.partition("?")
    if scheme == SQLITE:
        return _sqlite(base, _pairs(query))
    if scheme in POSTGRESQL:
        return _postgresql(base, _pairs(query))
    raise _refused("must begin with postgresql:// or sqlite://")


def _sqlite(base: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    settings, options, left = _taken(pairs, OF_SQLITE, ("conn_max_age", "conn_health_checks"))
    _refuse_unknown(left, [*OF_SQLITE, "conn_max_age", "conn_health_checks"])
    name = unquote(base.removeprefix("/")) or ":memory:"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name,
        "OPTIONS": options,
        **settings,
    }


def _postgresql(base: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    settings, options, left = _taken(pairs, OPTIONS, tuple(SETTINGS))
    libpq = libpq_keys()
    _refuse_unknown([one for one in left if one[0] != "ssl"], [*libpq, *SETTINGS, *OPTIONS])
    found = _of_libpq(base, left)
    name = found.pop("dbname", "")
    if not name and "service" not in found:
        raise _refused("names no database: postgresql://host/NAME")
    parts = {key: found.pop(part, "") for part, key in PARTS.items()}
    return {
        "ENGINE": "grant_management.db.postgresql",
        "NAME": name,
        **parts,
        "OPTIONS": found | _with_pool(options),
        **({"CONN_MAX_AGE": 0} if options.get("pool") else {}),
        **settings,
    }


def _pairs(query: str) -> list[tuple[str, str]]:
    """The keys of a query with their values, which are still percent-encoded."""
    if "@" in query:
        # It belongs to the user or the password, whose "?" began what looks like a query.
        raise _unreadable()
    pairs = [part.partition("=") for part in query.split("&") if part]
    if len({key for key, _, _ in pairs}) < len(pairs):
        raise _refused("has a key more than once")
    return [(key, value) for key, _, value in pairs]


def _taken(
    pairs: list[tuple[str, str]], known: dict[str, Rule], also: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]:
    """What the keys say to Django: for `DATABASES`, for its `OPTIONS`; and the other pairs."""
    settings: dict[str, Any] = {}
    options: dict[str, Any] = {}
    left = []
    for key, value in pairs:
        if key in also:
            settings[SETTINGS[key][0]] = _parsed(key, value, SETTINGS[key])
        elif key in known:
            options[known[key][0]] = _parsed(key, value, known[key])
        else:
            left.append((key, value))
    return settings, options, left


def _parsed(key: str, value: str, rule: Rule) -> Any:
    _, read, must_be = rule
    try:
        return read(unquote(value))
    except (ValueError, KeyError):
        raise _refused(f"has a {key} that is not {must_be}") from None


def _with_pool(options: dict[str, Any]) -> dict[str, Any]:
    """Django takes the sizes of a pool as a dict in the place of True."""
    sizes = {name: options.pop(name) for name in OF_POOL if name in options}
    if sizes and not options.get("pool"):
        raise _refused("has a size of a pool, but not pool=true")
    if options.get("pool"):
        # A call waits no longer for a connection of the pool than for a new one.
        options["pool"] = {"timeout": 3, **sizes}
    else:
        options.pop("pool", None)
    return options


def _of_libpq(base: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """What libpq reads in the rest of the URL."""
    query = "&".join(f"{key}={value}" for key, value in pairs)
    if base.count("@") > 1 or "@" in base.partition("/")[2]:
        raise _unreadable()  # libpq would take a part of the password for the host or the name
    try:
        found: dict[str, Any] = dict(conninfo_to_dict(f"postgresql://{base}?{query}"))
    except ProgrammingError:
        # Its message may quote a part of the password.
        raise _unreadable() from None
    if not _are_ports(found.get("port", "")):
        raise _unreadable()
    return found


def _are_ports(value: str) -> bool:
    return all(re.fullmatch(r"[0-9]{0,5}", one.strip()) for one in value.split(","))


def _refuse_unknown(pairs: list[tuple[str, str]], known: list[str]) -> None:
    for key, _ in pairs:
        if key not in known:
            shown = key if re.fullmatch(r"[A-Za-z_]{1,40}", key) else "a key"
            raise _refused(f"has {shown}, which is not known. Known are: {', '.join(known)}")


def _unreadable() -> ImproperlyConfigured:
    return _refused(
        "cannot be read. Percent-encode what is special in its user, password and name (RFC 3986"
        " §2.1), such as %40 for @, %2F for / and %3F for ?; a port is a number"
    )


def _refused(reason: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"DATABASE_URL {reason}.")
