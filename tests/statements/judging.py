"""What is wrong with the statements of a run."""

import json
from collections import defaultdict

from .exceptions import EXCEPTIONS
from .ties import untied


def tables():
    """The tables of which each row is where its service is."""
    from grant_management.models import placement

    return {model._meta.db_table for model in placement.of_service()}


def judged(path, *, is_whole):
    """A line for each table without its service, and for each exception that a whole run lacks."""
    found, used, names = defaultdict(str), set(), tables()
    for line in path.read_text().splitlines():
        one = json.loads(line)
        for table in untied(one["sql"], names):
            place = one["place"], table.removeprefix("grant_management_")
            if place in EXCEPTIONS:
                used.add(place)
            else:
                found[place] = " ".join(one["sql"].split())
    said = [f"{place}: {table}\n    {sql}" for (place, table), sql in sorted(found.items())]
    unused = sorted(set(EXCEPTIONS) - used) if is_whole else ()
    return [
        *said,
        *(f"{place}: {table} is an exception, and was not met" for place, table in unused),
    ]
