"""Throttles logins: for an account from one address, for an address, and for an account.

An attempt is counted before its password is checked, and taken back when it succeeds. So of many
attempts at once no more than the limit are checked, and a refused one computes no password hash.
Whether the account exists makes no difference.

The counts are rows of the database, since all workers and machines must share them: Django's
default cache is per process, and its database cache can neither add atomically nor keep its rows
where many keys are written (it deletes at random beyond MAX_ENTRIES). django-axes would do much
more, and stores names and addresses in clear; it cannot count before it checks.
See https://docs.djangoproject.com/en/5.2/topics/cache/#database-caching and
https://django-axes.readthedocs.io/
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import router, transaction
from django.utils.crypto import salted_hmac

from grant_management.db import clock

from ..models import LoginCount
from .client_address import network_of

log = logging.getLogger("gm_project.login")

PERIOD: Final = timedelta(minutes=15)
"""Failures are counted for so long from the first; after the last that is allowed, logins are
refused for so long.
"""
PAIR, ADDRESS, ACCOUNT, KNOWN = "account and address", "address", "account", "known"
LIMITS: Final = {PAIR: 5, ADDRESS: 20, ACCOUNT: 50}
"""Failures of a kind within PERIOD. That of an account is for a guesser with many addresses."""
KNOWN_FOR: Final = timedelta(days=90)
"""How long an address counts as known to an account that logged in from there: no stranger's
failures elsewhere lock its owner out.
"""
GATE: Final = ""
"""The key of the row that is locked for all of them."""
SWEPT: Final = 20
"""Rows that ended are deleted at each attempt, at most: more than an attempt adds."""


class Throttled(Exception):
    """The login is refused. `seconds`: how long it will be."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Too many logins failed.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login that was counted: its keys by kind, and the kinds whose limit it reached."""

    keys: dict[str, str]
    filled: tuple[str, ...]

    def succeeded(self) -> None:
        """Take it back: the count of its account and address ends, the others count one less."""
        with _alone() as now:
            counts = _counts(self.keys, now)
            for kind, one in counts.items():
                one.failures = 0 if kind in (PAIR, KNOWN) else max(one.failures - 1, 0)
                if kind == KNOWN:
                    one.ends_at = now + KNOWN_FOR
                one.save()

    def failed(self) -> None:
        """Log a line for each limit that this failure reached: what follows is refused."""
        for kind in self.filled:
            minutes = int(PERIOD.total_seconds() / 60)
            log.warning(_FULL, LIMITS[kind], kind, self.keys[kind][:8], minutes)


_FULL: Final = "%d logins failed for one %s (%s): more are refused for %d minutes."


def attempt(account: str, address: str) -> Attempt:
    """Count a login of an account from an address, before its password is checked.

    Throttled: a limit is reached. Nothing is counted then.
    """
    keys = _keys(account, network_of(address))
    with _alone() as now:
        counts = _counts(keys, now)
        if counts[KNOWN].ends_at > now:
            del keys[ACCOUNT]
        full = [counts[kind].ends_at for kind in keys if _is_full(kind, counts[kind])]
        if full:
            raise Throttled(int((max(full) - now).total_seconds()) + 1)
        filled = [kind for kind in keys if kind in LIMITS and _add(kind, counts[kind], now)]
        _sweep(now)
    return Attempt(keys, tuple(filled))


@contextmanager
def _alone() -> Iterator[datetime]:
    """A transaction that holds the lock of all counts, and its time. It takes milliseconds.

    One lock for all, since attempts share counts in any combination, and sweep those of others.
    """
    with transaction.atomic(using=router.db_for_write(LoginCount)):
        LoginCount.objects.bulk_create(
            [LoginCount(key=GATE, ends_at=_NEVER)], ignore_conflicts=True
        )
        LoginCount.objects.select_for_update().get(key=GATE)
        yield clock.now()


_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


def _keys(account: str, network: str) -> dict[str, str]:
    """The keys of the counts of a login, by kind."""
    name = account.casefold()
    parts = {
        PAIR: (name, network),
        ADDRESS: (network,),
        ACCOUNT: (name,),
        KNOWN: (name, network),
    }
    return {kind: _digest(kind, *values) for kind, values in parts.items()}


def _digest(kind: str, *values: str) -> str:
    text = repr((kind, *values))  # no two different tuples have the same
    return salted_hmac("gm_project.login", text, algorithm="sha256").hexdigest()


def _counts(keys: dict[str, str], now: datetime) -> dict[str, LoginCount]:
    """The counts by kind; those that are missing or over are 0, and are stored when saved."""
    found = LoginCount.objects.in_bulk(list(keys.values()))
    counts = {
        kind: found.get(key) or LoginCount(key=key, ends_at=now) for kind, key in keys.items()
    }
    for one in (counts[kind] for kind in LIMITS if kind in counts):
        if one.ends_at <= now or one.ends_at > now + 2 * PERIOD:  # over, or of a wrong clock
            one.failures, one.ends_at = 0, now + PERIOD
    return counts


def _is_full(kind: str, count: LoginCount) -> bool:
    return kind in LIMITS and count.failures >= LIMITS[kind]


def _add(kind: str, count: LoginCount, now: datetime) -> bool:
    """Count one more; whether that reached the limit."""
    count.failures += 1
    if _is_full(kind, count):
        count.ends_at = now + PERIOD
    count.save()
    return _is_full(kind, count)


def _sweep(now: datetime) -> None:
    """Delete some rows that ended."""
    ended = LoginCount.objects.filter(ends_at__lte=now).values_list("key", flat=True)[:SWEPT]
    LoginCount.objects.filter(key__in=list(ended)).delete()
