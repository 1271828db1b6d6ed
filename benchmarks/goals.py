"""The goals: for each measure a value to reach, and a better one to aim for."""

from dataclasses import dataclass

POSTGRESQL, SQLITE = "postgresql", "sqlite"


@dataclass(frozen=True)
class Goal:
    """The goal of a measure. `more`: the higher the value, the better; else the lower."""

    measure: str
    reach: float
    aim: float
    more: bool = True

    def says(self, value):
        """How far a value gets: "aim", "reached" or "missed"."""
        if self._is_met(value, self.aim):
            return "aim"
        return "reached" if self._is_met(value, self.reach) else "missed"

    def _is_met(self, value, limit):
        return value >= limit if self.more else value <= limit


TOOLKIT = "bearer QUERY / toolkit introspection"
USERINFO = "DPoP QUERY / oidc-provider userinfo with DPoP"
INTROSPECTION = "bearer QUERY / oidc-provider introspection"
BEARER = "bearer QUERY / bare Django view"
DPOP = "DPoP QUERY / bare Django view"
P99_BEARER = "p99 of bearer QUERY / p99 of the bare view"
P99_DPOP = "p99 of DPoP QUERY / p99 of the bare view"
P99_PURGE = "p99 of bearer QUERY beside the purge / without"
P99_STALLED = "p99 with 100 stalled clients / without"
REVOKE_TOKENS = "REVOKE, grant with 100,000 tokens / with 1"
QUERY_GROWTH = "QUERY, at the most grants / at the fewest"
REVOKE_GROWTH = "REVOKE, at the most grants / at the fewest"
STATEMENTS = "SQL statements of QUERY"
STATEMENTS_DPOP = "SQL statements of QUERY with DPoP"
STATEMENTS_REVOKE = "SQL statements of REVOKE"
CYCLES = "objects left in reference cycles by a QUERY"
MEMORY = "private memory of a worker, MiB"
IMPORT_RATE = "import, rows a second"
IMPORT_MEMORY = "import, MiB at the most"
ADMIN = "slowest page of the console, ms"
LONG = "slowest page of the console with what is long, ms"

_BOTH = {
    P99_STALLED: (1.5, 1.1, False),
    STATEMENTS: (2, 1, False),
    STATEMENTS_DPOP: (3, 2, False),
    REVOKE_TOKENS: (2, 1.2, False),
    QUERY_GROWTH: (1.25, 1.1, False),
    REVOKE_GROWTH: (1.25, 1.1, False),
    CYCLES: (5, 0, False),
    P99_PURGE: (2, 1.2, False),
    LONG: (200, 200, False),
}
_OF = {
    POSTGRESQL: {
        TOOLKIT: (9, 11),
        USERINFO: (0.93, 1.1),
        INTROSPECTION: (0.47, 0.6),
        BEARER: (0.72, 0.85),
        DPOP: (0.40, 0.48),
        P99_BEARER: (2.0, 1.3, False),
        P99_DPOP: (2.5, 1.7, False),
        STATEMENTS_REVOKE: (4, 2, False),
        MEMORY: (80, 60, False),
        IMPORT_RATE: (20_000, 50_000),
        IMPORT_MEMORY: (200, 200, False),
        ADMIN: (50, 50, False),
        **_BOTH,
    },
    SQLITE: {
        ADMIN: (100, 100, False),
        TOOLKIT: (8, 10),
        USERINFO: (0.92, 1.1),
        INTROSPECTION: (0.47, 0.6),
        BEARER: (0.72, 0.85),
        DPOP: (0.39, 0.46),
        P99_DPOP: (5.0, 3.0, False),
        STATEMENTS_REVOKE: (4, 3, False),
        **_BOTH,
    },
}
GOALS = {
    database: {measure: Goal(measure, *values) for measure, values in goals.items()}
    for database, goals in _OF.items()
}


def show(database, measures):
    """Print one line for each measure."""
    print(f"\n{'measure':52} {'measured':>9} {'reach':>7} {'aim':>7}")
    for measure, value in measures.items():
        goal = GOALS[database].get(measure)
        rest = f"{goal.reach:>7g} {goal.aim:>7g}  {goal.says(value)}" if goal else ""
        print(f"{measure:52} {value:>9,g} {rest}")
