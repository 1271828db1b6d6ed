"""Prints the statements of a file of `--statements` that leave a table without its service."""

import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import django

from .ties import untied

EVERYWHERE = ("grant_management_apitoken",)
"""Tables that each database has whole, although their rows may belong to a service."""


def tables():
    """The tables of which each row belongs to a service."""
    from django.apps import apps

    for model in apps.get_app_config("grant_management").get_models():
        columns = {field.column for field in model._meta.concrete_fields}
        if "service_id" in columns and model._meta.db_table not in EVERYWHERE:
            yield model._meta.db_table


def main(path):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gm_project.settings")
    django.setup()
    names, found = frozenset(tables()), defaultdict(list)
    statements = {
        one["sql"]: one["place"] for one in map(json.loads, Path(path).read_text().splitlines())
    }
    for sql, place in statements.items():
        if missing := untied(sql, names):
            found[place].append((sorted(set(missing)), sql))
    for place, wrong in sorted(found.items()):
        for missing, sql in wrong:
            print(f"{place}: {', '.join(missing)}\n    {' '.join(sql.split())[:300]}")
    print(
        f"{sum(map(len, found.values()))} of {len(statements)} statements, in {len(found)} places"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
