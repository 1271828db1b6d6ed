"""What a call costs beside time: CPU, write-ahead log and rows; and the bytes that rows take.

PostgreSQL alone. The write-ahead log is counted twice: its records alone, and what the first call
that touches a page after a checkpoint adds, since such a page is logged whole. Needs PgBouncer.
"""

import argparse
import statistics
from pathlib import Path

from . import footprint_rows, store, targets
from .pooler import pooled
from .rounds import play

FIRST = 100
"""Calls right after a checkpoint, far from each other: each finds pages that none has touched."""
COMPRESSION = {"off": 1, "on": 2}
"""Values of `wal_compression`, and which grants are far for each."""
WRITERS = 2
"""Connections: fewer than a worker has slots for writes, so none is refused on a busy machine."""
KINDS = ("bearer", "dpop", "grant", "tokens", "refresh", "revoke")
QUIET = {"PURGE_EVERY_MINUTES": "0", "DELIVER_EVENTS": "off"}


def measure(database, url, postmaster, folder, stack, options):
    """Bytes of rows by table; CPU, log and rows of each call; rates of the purge and of backups."""
    if postmaster is None:
        print("not on SQLite")
        return {"ratios": {}}
    key = targets.Key()
    targets.prepare(url, options.grants, key.jkt, toolkit=False)
    given = Given(url, postmaster, options, key)
    found = {"bytes": footprint_rows.run(url, "bytes")}
    server = targets.serve(url, peers=True, **QUIET)
    stack.callback(server.stop)
    found["calls"] = {name: _call(given, server, name) for name in ("bare", *KINDS)}
    with pooled(url, folder) as (through, pid):
        behind = targets.serve(through, peers=True, DATABASE_TIMEOUTS="off", **QUIET)
        stack.callback(behind.stop)
        found["pooled"] = {name: _pooled(given, behind, name, pid) for name in KINDS}
    found["purge"] = footprint_rows.run(url, "purge")
    found["backup"] = footprint_rows.backup(url, folder)
    _show(found)
    return {**found, "ratios": {}}


class Given:
    """The database and the requests of a run: each call is about another grant."""

    def __init__(self, url, postmaster, options, key):
        self.url, self.postmaster, self.options, self.key = url, postmaster, options, key
        self.room = (options.grants - targets.BOUND) // 10
        # As many as there are grants for: half of them are for the calls after a checkpoint.
        self.count = min(options.requests, self.room // 2 // (options.rounds + 3))
        self._next = dict.fromkeys(KINDS, 0)

    def requests(self, name, count, *, far=0):
        """Requests of a kind, each new; `far`: their grants are all over the table, others for each
        number.
        """
        if name == "bare":
            return targets.moved(self.requests("bearer", count), "/api/bare")
        if name == "dpop":
            return targets.dpop_queries(count, self.options.grants, self.key)
        return [_REQUESTS[name](one) for one in self._numbers(name, count, far)]

    def _numbers(self, name, count, far):
        """Grants of this kind alone, which end in its digit. (Dead ones end in 9.)"""
        first = self._next[name]
        self._next[name] += 0 if far else count
        stride = self.room // 2 // count
        back = range(self.room - far, self.room - far - count * stride, -stride)
        places = back if far else range(first, first + count)
        return [targets.BOUND + place * 10 + KINDS.index(name) for place in places]

    def play(self, target):
        """The rate, the CPU time and the percentiles of one round of a target."""
        options = argparse.Namespace(requests=self.count)
        return play([target], options, self.postmaster)[target.name]

    def ask(self, *statements):
        """The first value that the last statement returns; each commits by itself."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None


def _call(given, server, name):
    """Microseconds of CPU, bytes of the write-ahead log, and rows that a call adds."""
    _set(given, "full_page_writes", "off")
    target = _target(given, server, name)
    given.play(target)
    rows, log = footprint_rows.counts(given), _log(given)
    rounds = [given.play(target) for _ in range(given.options.rounds)]
    made = given.options.rounds * given.count
    records = (_log(given) - log) / made
    added = {
        table: round((number - rows[table]) / made, 2)
        for table, number in footprint_rows.counts(given).items()
        if number != rows[table]
    }
    medians = {one: statistics.median(each[one] for each in rounds) for one in rounds[0]}
    plain, packed = (_first_touches(given, server, name, how) - records for how in COMPRESSION)
    log = {"log": round(records), "first": round(plain), "compressed": round(packed)}
    return medians | log | {"rows": added}


def _first_touches(given, server, name, compression):
    """Bytes of the log of a call that is the first to touch its pages after a checkpoint."""
    from .load import drive

    requests = given.requests(name, FIRST, far=0 if name == "dpop" else COMPRESSION[compression])
    _set(given, "wal_compression", compression)
    _set(given, "full_page_writes", "on")
    given.ask("CHECKPOINT")
    log = _log(given)
    drive(server.port, requests, _EXPECTED[name], WRITERS)
    return (_log(given) - log) / FIRST


def _pooled(given, server, name, pid):
    """Microseconds of CPU of a call behind PgBouncer: of the server, the database and PgBouncer."""
    target = _target(given, server, name)
    given.play(target)
    before = _cpu_of_thread(pid)
    figures = given.play(target)
    return figures | {"pooler_us": round((_cpu_of_thread(pid) - before) / given.count, 1)}


def _cpu_of_thread(pid):
    """Microseconds of a process of one thread: PgBouncer takes too little for the clock's ticks."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1_000


def _target(given, server, name):
    def requests(count):
        return given.requests(name, count)

    return targets.Target(name, server, requests, _EXPECTED[name], True, connections=WRITERS)


def _log(given):
    """Bytes of the write-ahead log so far."""
    return int(given.ask("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))


def _set(given, name, value):
    given.ask(f"ALTER SYSTEM SET {name} = {value}", "SELECT pg_reload_conf()", "SELECT pg_sleep(1)")


def _revoke(number):
    return targets.numbered([number], "REVOKE")[0]


def _query(number):
    return targets.numbered([number], "QUERY")[0]


_REQUESTS = {
    "bearer": _query,
    "grant": store.new_grant,
    "tokens": store.new_tokens,
    "refresh": store.refreshed,
    "revoke": _revoke,
}
_EXPECTED = {
    "bare": b"A277001",
    "bearer": b'"OK"',
    "dpop": b'"OK"',
    "grant": b"grantId",
    "tokens": b'"OK"',
    "refresh": b"refreshToken",
    "revoke": b"NO_CONTENT",
}


def _show(found):
    for table, size in found["bytes"].items():
        print(f"{table:14} {size['table']:>8,.0f} + {size['indexes']:,.0f} bytes a row")
    for part in ("calls", "pooled"):
        for name, one in found[part].items():
            print(f"{part:8} {name:10} {one}")
    print(found["purge"], found["backup"])
