"""Settings of `--routed`: the app in a database of its own, its reads sent to a replica that never
catches up. Users and sessions stay in the default database.
"""

import os
from pathlib import Path

from gm_project.settings import *  # noqa: F403
from gm_project.settings import DATABASES

OURS = "grant_management"
_grants = DATABASES["default"]


def _beside(name):
    """Another database of the same kind and the same server."""
    folder = Path(os.environ["DATABASE_URL"].removeprefix("sqlite:///")).parent
    sqlite = _grants["ENGINE"].endswith("sqlite3")
    return _grants | {"NAME": str(folder / f"{name}.sqlite3") if sqlite else name}


DATABASES = {"default": _beside("accounts"), "grants": _grants, "replica": _beside("replica")}
DATABASE_ROUTERS = ["tests.routed.Router"]


class Router:
    """What a host may have."""

    def db_for_read(self, model, **hints):
        return "replica" if model._meta.app_label == OURS else None

    def db_for_write(self, model, **hints):
        return "grants" if model._meta.app_label == OURS else None

    def allow_relation(self, one, other, **hints):
        return True

    def allow_migrate(self, db, app_label, **hints):
        return (db == "default") != (app_label == OURS)
