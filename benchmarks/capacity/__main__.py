"""`run.py bench sizing`: what a demand needs, by the arithmetic of docs/explanation/sizing.md.

`--simulate` runs the calls of it through a simulation, and compares. `--write` writes the tables of
the document.
"""

import argparse
import sys
from dataclasses import replace
from typing import Any

from . import arithmetic, plan
from .assumed import MIX, Demand, Machine, Prices
from .options import options_of


def main(arguments: list[str]) -> int:
    """Print the parts and what they cost. Exit code 0."""
    options = _options(arguments)
    if options.write:
        from .document import write

        write()
        return 0
    demand = Demand(options.grants, options.calls, **_read(Demand, options))
    found = plan.plan(replace(demand, mix=_mix(options)), Machine(**_read(Machine, options)))
    _show(found, Prices(**_read(Prices, options)))
    if options.simulate:
        from .checked import compare

        for line in compare(found):
            print(line)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench sizing", description=__doc__)
    parser.add_argument("--write", action="store_true", help="the tables of the document")
    parser.add_argument("--simulate", action="store_true", help="half a second of these calls")
    parser.add_argument("--grants", type=float, default=1e9)
    parser.add_argument("--calls", type=float, default=1e5, help="a second")
    for kind in (Demand, Machine, Prices):
        for name, field in options_of(kind).items():
            what = field.metadata["what"].replace("%", "%%")
            value = field.default
            parser.add_argument(f"--{name}", type=type(value), default=value, help=what)
    for name, share in MIX.items():
        parser.add_argument(f"--share-{name}", type=float, default=share, help="of the calls")
    return parser.parse_args(arguments)


def _read(kind: type, options: argparse.Namespace) -> dict[str, Any]:
    """The assumptions of a class, as the options set them."""
    return {
        field.name: getattr(options, name.replace("-", "_"))
        for name, field in options_of(kind).items()
    }


def _mix(options: argparse.Namespace) -> dict[str, float]:
    """The shares, as parts of 1."""
    shares = {name: getattr(options, f"share_{name}") for name in MIX}
    return {name: share / sum(shares.values()) for name, share in shares.items()}


def _show(found: plan.Plan, prices: Prices) -> None:
    print("one of each, the fullest first:")
    for part, used in arithmetic.utilisations(found.demand, found.machine).items():
        print(f"  {part:32} {100 * used:>10,.1f} %")
    print(f"{found.workers} workers, {found.poolers} PgBouncers, {found.nodes} nodes of PostgreSQL")
    print(f"({found.binds}), {found.machine.copies} copies of each: {found.cores:,} cores,")
    print(f"{found.memory:,.0f} GB of memory, {found.disk:,.0f} GB of disk;")
    print(f"{found.price(prices):,.0f} a month, at the prices given")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
