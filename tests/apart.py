"""Settings of `--apart`: every service in a second database; in the default one what is looked up
first, users and sessions. Requests say themselves what they are about: what a test has in view is
hidden from them.
"""

import os
from pathlib import Path

from gm_project.settings import *  # noqa: F403
from gm_project.settings import DATABASES, MIDDLEWARE
from grant_management.conf import Settings


class Everything(dict):
    """A map that has every service."""

    def get(self, service_id, default=None):
        return "apart"


_first = DATABASES["default"]
_folder = Path(os.environ["DATABASE_URL"].removeprefix("sqlite:///")).parent
_name = str(_folder / "apart.sqlite3") if _first["ENGINE"].endswith("sqlite3") else "apart"
DATABASES = {"default": _first, "apart": _first | {"NAME": _name}}
DATABASE_ROUTERS = ["grant_management.db.routing.Router"]
MIDDLEWARE = [*MIDDLEWARE[:2], "tests.apart.Unseen", *MIDDLEWARE[2:]]
# As the default, so that a test can set other settings.
Settings.service_databases.default = Everything({1: "apart"})


class Unseen:
    """A request begins with nothing in view, as in a server."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        from grant_management.db import apart

        with apart.nothing():
            return self.get_response(request)
