"""The tables of docs/explanation/sizing.md, made from the figures and the arithmetic."""

from collections.abc import Callable, Iterable

from . import arithmetic as of
from . import measured
from .assumed import MIX, Demand, Machine, Prices
from .options import options_of
from .plan import GB, Plan, plan

SIZES = tuple(Demand(grants=10.0**size, calls=10.0 ** (size - 4)) for size in (6, 7, 8, 9))
"""From what one core carries to 10⁹ grants and 10⁵ calls a second."""
NAMES = {
    "bearer": "QUERY, bearer",
    "dpop": "QUERY, DPoP",
    "refresh": "tokens refreshed",
    "grant": "grant created",
    "tokens": "its tokens created",
    "revoke": "REVOKE",
}
WHAT = {
    "grant": "a grant",
    "accesstoken": "an access token",
    "refreshtoken": "a refresh token",
    "grantevent": "an event",
    "usedproof": "a used proof",
}


def table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    heading = list(heading)
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def short(value: float) -> str:
    """A number with two digits that count, such as 1,700 or 0.034."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def whole(value: float) -> str:
    """A number as it is, such as 86,400 or 0.5."""
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def calls() -> str:
    """What a call costs."""
    heading = (
        *("call", "a worker's core, µs", "PostgreSQL's cores, µs", "PgBouncer, µs"),
        *("write-ahead log, bytes", "the first on its pages, bytes more", "compressed"),
    )
    rows = (
        [NAMES[kind], *(f"{value:,.0f}" for value in _costs(call))]
        for kind, call in measured.CALLS.items()
    )
    return table(heading, rows)


def _costs(call: measured.Call) -> tuple[float, ...]:
    return call.app_us, call.database_us, call.pooler_us, call.log, call.first, call.packed


def rows() -> str:
    """What a row takes, and how many there are at the largest size."""
    stored, size = of.stored(SIZES[-1]), of.size(SIZES[-1], Machine())
    heading = ("row", "table, bytes", "indexes, bytes", "rows at 10⁹ grants", "GB with free space")
    lines = (
        [
            WHAT[name],
            f"{row.table:,.0f}",
            f"{row.indexes:,.0f}",
            short(stored[name]),
            short(size[name] / GB),
        ]
        for name, row in measured.ROWS.items()
    )
    return table(heading, lines)


def parts() -> str:
    """The calls a second that fill one of each part, the part that is full first at the top."""
    demand = SIZES[-1]
    lines = (
        [part, short(demand.calls / used), short(demand.grants / used)]
        for part, used in of.utilisations(demand, Machine()).items()
    )
    return table(("one of", "is full at calls/s", "and grants"), lines)


_LADDER: dict[str, Callable[[Plan], str]] = {
    "a worker's core: busy, and how many to plan": lambda it: (
        f"{short(of.busy(it.demand, 'app_us'))}, {it.workers}"
    ),
    "PgBouncer: busy cores, processes": lambda it: (
        f"{short(of.busy(it.demand, 'pooler_us'))}, {it.poolers}"
    ),
    "PostgreSQL: busy cores": lambda it: short(of.busy(it.demand, "database_us")),
    "nodes of PostgreSQL, each with its standbys": lambda it: f"{it.nodes}",
    "the fullest of a node": lambda it: _fullest(it),
    "more than one is needed of": lambda it: _short_of(it),
    "commits a second": lambda it: short(of.commits(it.demand)),
    "sessions of PostgreSQL at work": lambda it: short(of.sessions(it.demand, it.machine)),
    "write-ahead log, MB a second": lambda it: short(of.log(it.demand, it.machine) / 1e6),
    "the log of a day, GB": lambda it: short(of.log(it.demand, it.machine) * 86_400 / GB),
    "rows to purge a second": lambda it: short(of.purged(it.demand)),
    "events a day": lambda it: short(it.demand.rate("grant", "revoke") * 86_400),
    "disk of one copy, GB": lambda it: short(sum(of.size(it.demand, it.machine).values()) / GB),
    "memory for what is in use, GB": lambda it: short(of.hot(it.demand, it.machine) / GB),
    "hours until a node must freeze": lambda it: short(of.freezes_every(it.of_a_node) / 3_600),
    "hours to restore a node": lambda it: short(it.restores_in / 3_600),
    "hours to copy a node's share": lambda it: short(it.copies_in / 3_600),
    "**cores of all**": lambda it: f"{it.cores:,}",
    "**GB of memory of all**": lambda it: short(it.memory),
    "**GB of disk of all**": lambda it: short(it.disk),
    "a month, with the example's prices": lambda it: short(it.price(Prices())),
}


def ladder() -> str:
    """What each size needs."""
    plans = [plan(demand, Machine()) for demand in SIZES]
    heading = ["what", *(f"{_power(it.grants)} grants, {it.calls:,.0f} calls/s" for it in SIZES)]
    return table(heading, ([name, *map(line, plans)] for name, line in _LADDER.items()))


def _power(number: float) -> str:
    return "10" + "⁶⁷⁸⁹"[len(f"{number:.0f}") - 7]


def _short_of(it: Plan) -> str:
    used = of.utilisations(it.demand, it.machine)
    return ", ".join(part for part, share in used.items() if share > it.machine.planned) or "none"


def _fullest(it: Plan) -> str:
    used = of.utilisations(it.of_a_node, it.machine)
    return f"{it.binds}, {short(100 * used[it.binds])} %"


def points() -> str:
    """What was measured, and what the simulation makes of it."""
    from . import simulation

    heading = ("call", "calls/s", "simulated", "p50, ms", "simulated", "p99, ms", "simulated")
    lines = []
    for point in measured.POINTS:
        run = simulation.reproduced(point)
        cells = (
            *(f"{point.rate:,.0f}", short(run.rate)),
            *(f"{point.p50:g}", short(run.percentile(0.5))),
            *(f"{point.p99:g}", short(run.percentile(0.99))),
        )
        lines.append([point.name, *cells])
    return table(heading, lines)


def assumptions() -> str:
    """The options with their values."""
    fields = {
        name: field
        for kind in (Demand, Machine, Prices)
        for name, field in options_of(kind).items()
    }
    shares = [(f"share-{kind}", f"{share:g}", NAMES[kind]) for kind, share in MIX.items()]
    lines = [(name, whole(one.default), one.metadata["what"]) for name, one in fields.items()]
    return table(
        ("option", "value", "what"),
        ([f"`--{name}`", value, what] for name, value, what in (*shares, *lines)),
    )


TABLES = (assumptions, calls, rows, parts, ladder, points)
