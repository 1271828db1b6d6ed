"""`--statements FILE` writes each distinct statement that the app itself sends, and from where;
`--ties` fails the run where one of them leaves a table without its service.

A statement of a test's own is none of the app's. What a server in another process sends is not seen
here: the doors of the app are walked in this one too.
"""

import fcntl
import json
import os
import re
import sys
from pathlib import Path

import pytest

from ..standalone import ROOT

APP = (f"{ROOT}/grant_management/", f"{ROOT}/gm_project/")
TESTS = f"{ROOT}/tests/"
FOUND = pytest.ExitCode.INTERNAL_ERROR
"""What a run ends with that found something, or lacks what a worker collected; whether or not tests
failed too.

Not with the code of failed tests: those may run once more, by themselves (`run.py test`), and then
nobody would ask the other statements again.
"""
_VALUES = re.compile(r"'(?:[^']|'')*'|\$\d+|\b\d+\b|%s(?:, %s)+")


def pytest_addoption(parser):
    parser.addoption("--statements", default="", metavar="FILE", help="of the app, as JSON Lines")
    parser.addoption(
        "--ties",
        choices=["some", "all"],
        help="on PostgreSQL each statement names its service; of the whole suite (all) each"
        " exception is needed, too",
    )


def pytest_configure(config):
    file = config.option.statements
    if config.option.ties and config.option.db == "postgresql":
        file = file or str(Path(os.environ["TESTS_FOLDER"]) / "statements.jsonl")
    if file:
        config.pluginmanager.register(Collector(Path(file), config.option.ties), "statements")


class Collector:
    """Wraps the cursors of psycopg, which the ORM and the app's own statements go through, and the
    app's prepared statements, which go past them.
    """

    def __init__(self, path, ties):
        self.path, self.ties, self.found, self.said, self.judged = path, ties, {}, [], 0
        import psycopg

        for kind in (psycopg.Cursor, psycopg.ServerCursor):
            for name in ("execute", "executemany", "copy"):
                if name in vars(kind):
                    setattr(kind, name, self._noting(getattr(kind, name)))

    def pytest_collection(self):
        """Once Django is set up."""
        from grant_management.db import prepared

        for name in ("fetch", "change"):
            setattr(prepared, name, self._noting(getattr(prepared, name)))

    def _noting(self, send):
        def noted(way, query, *arguments, **options):
            if place := place_of(sys._getframe(1)):
                self._note(place, way, query)
            return send(way, query, *arguments, **options)

        return noted

    def _note(self, place, way, query):
        if isinstance(query, bytes):
            query = query.decode()
        text = query if isinstance(query, str) else query.as_string(way.connection)
        self.found.setdefault((place, _VALUES.sub("0", text)), text)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        """Each worker of a run adds its own; then the controller, or the only process, judges."""
        with self.path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # other workers may end at the same moment
            for (place, _shape), text in self.found.items():
                file.write(json.dumps({"place": place, "sql": text}) + "\n")
        if self.ties and "PYTEST_XDIST_WORKER" not in os.environ:
            from .judging import judged

            self.judged = len(set(self.path.read_text().splitlines()))
            self.said += judged(self.path, is_whole=self.ties == "all")
            if self.said:
                session.exitstatus = FOUND

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node, error):
        """A worker that dies takes its statements with it; its test may pass once more."""
        if self.ties and error:
            self.said.append(f"{node.gateway.id} died: what it collected is missing")

    def pytest_terminal_summary(self, terminalreporter):
        if self.said:
            terminalreporter.section("statements without their service")
            terminalreporter.write_line("\n".join(self.said))
        if self.judged:
            terminalreporter.write_line(f"{self.judged:,} statements of the app were judged")


def place_of(frame):
    """The file and the function of the app that sent it; None: a test did."""
    while frame is not None:
        name = frame.f_code.co_filename
        # What follows a statement for a trace is around those of tests, too.
        if name.startswith(APP) and not name.endswith("/tracing.py"):
            return f"{name.removeprefix(f'{ROOT}/')} {frame.f_code.co_qualname}"
        if name.startswith(TESTS):
            return None
        frame = frame.f_back
    return None
