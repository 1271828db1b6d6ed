"""`--statements FILE`: writes each distinct statement that the app itself sends, and from where.

A statement of a test's own is none of the app's. What a server in another process sends is not seen
here: the doors of the app are walked in this one too.
"""

import json
import re
import sys
from pathlib import Path

from ..standalone import ROOT

APP = (f"{ROOT}/grant_management/", f"{ROOT}/gm_project/")
TESTS = f"{ROOT}/tests/"
_VALUES = re.compile(r"'(?:[^']|'')*'|\b\d+\b")


def pytest_addoption(parser):
    parser.addoption("--statements", default="", metavar="FILE", help="of the app, as JSON Lines")


def pytest_configure(config):
    if config.option.statements:
        config.pluginmanager.register(Collector(Path(config.option.statements)), "statements")


class Collector:
    """Wraps the cursors of psycopg, which the ORM and the app's own statements go through."""

    def __init__(self, path):
        self.path, self.found = path, {}
        import psycopg

        for kind in (psycopg.Cursor, psycopg.ServerCursor):
            for name in ("execute", "executemany"):
                if name in vars(kind):
                    setattr(kind, name, self._noting(getattr(kind, name)))

    def _noting(self, send):
        def noted(cursor, query, *arguments, **options):
            if place := place_of(sys._getframe(1)):
                text = query if isinstance(query, str) else query.as_string(cursor.connection)
                self.found.setdefault(_VALUES.sub("0", text), [place, text])
            return send(cursor, query, *arguments, **options)

        return noted

    def pytest_sessionfinish(self):
        """Each worker of a run adds its own."""
        with self.path.open("a") as file:
            for place, text in self.found.values():
                file.write(json.dumps({"place": place, "sql": text}) + "\n")


def place_of(frame):
    """The line of the app that sent it; None: a test did."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(APP):
            return f"{name.removeprefix(f'{ROOT}/')}:{frame.f_lineno}"
        if name.startswith(TESTS):
            return None
        frame = frame.f_back
    return None
