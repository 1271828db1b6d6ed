"""The commands of `run.py`: each takes its options and what else was typed, and returns a code."""

import argparse
import os
import signal
import sys
from typing import Final

from ..serving.children import call, hold_interrupts
from ..serving.listening import is_loopback
from .environment import PYTHON, install
from .key import own_key
from .paths import ROOT

SOME_FAILED: Final = 1
"""What pytest exits with, if no more is wrong than that."""
CLUSTER: Final = "requirements-cluster.lock"
"""Patroni, whose packages agree with those of the tests."""
MIGRATED: Final = ("manage.py", "makemigrations", "--check", "--dry-run")
CHECKS: Final = (
    (".", "-m", "ruff", "check", "."),
    (".", "-m", "ruff", "format", "--check", "."),
    (".", "-m", "mypy"),
    (".", "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    (".", *MIGRATED),
    (".", "manage.py", "check"),
    ("examples/oauth_toolkit", *MIGRATED),
    ("examples/allauth_idp", *MIGRATED, "--skip-checks"),
)
"""What reads the code without running the tests: the folder, and the arguments of Python."""


def demo(options: argparse.Namespace, rest: list[str]) -> int:
    """Start a server with sample data, and make real calls to it."""
    install("requirements.lock")
    hold_interrupts()
    arguments = ["--once"] if options.once else []
    arguments += ["--port", str(options.port)] if options.port else []
    return _become(["-m", "gm_project.demo", *arguments])


def test(options: argparse.Namespace, rest: list[str]) -> int:
    """Run the tests on each database (`--slow`: also what takes minutes); or a cluster's faults."""
    if options.cluster:
        return _run_or_explain("cluster.trials", rest, CLUSTER)
    install("requirements-dev.lock")
    databases = [options.db] if options.db else ["sqlite", "postgresql"]
    failed = False
    for database in databases:
        print(f"\n== Tests on {database} ==", flush=True)
        failed |= not _pass(["--db", database, *rest])
    return int(failed)


def _pass(arguments: list[str]) -> bool:
    """Whether the tests pass. Those that fail run once more, one after the other.

    They start servers, databases and browsers: beside others, one of them may be late.
    """
    pytest = [str(PYTHON), "-m", "pytest", *arguments]
    whole = ("--cache-clear", "-n", "auto", "--dist", "worksteal")
    # At SIGINT pytest ends what its tests started.
    code = call([*pytest, *whole], signal.SIGINT)
    if code != SOME_FAILED:
        return code == 0
    print("\n== Once more, by themselves: the tests that failed ==", flush=True)
    again = ("--last-failed", "--last-failed-no-failures", "none", "--maxfail=1", "-v")
    return call([*pytest, *again], signal.SIGINT) == 0


def check(options: argparse.Namespace, rest: list[str]) -> int:
    """Run the static checks (lint, format, types, layers, migrations); name those that failed."""
    install("requirements-dev.lock")
    environment = {"SECRET_KEY": "only-for-these-checks", **os.environ}
    failed = []
    for folder, *arguments in CHECKS:
        print(f"\n== {' '.join(arguments)} ==", flush=True)
        if call([str(PYTHON), *arguments], cwd=ROOT / folder, env=environment):
            failed.append(" ".join(arguments))
    for one in failed:
        print(f"failed: {one}", file=sys.stderr)
    return int(bool(failed))


def bench(options: argparse.Namespace, rest: list[str]) -> int:
    """Measure what the endpoint costs, beside peers and floors."""
    return _run_or_explain("benchmarks", rest)


def chaos(options: argparse.Namespace, rest: list[str]) -> int:
    """Check that acknowledged writes outlive faults."""
    return _run_or_explain("chaos", rest)


def cluster(options: argparse.Namespace, rest: list[str]) -> int:
    """Start a cluster on loopback, and break it on purpose."""
    return _run_or_explain("cluster", rest, CLUSTER)


def screenshots(options: argparse.Namespace, rest: list[str]) -> int:
    """Take the pictures of the documentation again."""
    install("requirements-dev.lock")
    return _become(["-m", "tests.browser.screenshots"])


def docs(options: argparse.Namespace, rest: list[str]) -> int:
    """Build the documents' site into build/docs."""
    install("requirements-dev.lock")
    return _become(["-m", "sphinx", "-q", "-W", "--keep-going", "-E", "docs", "build/docs"])


def serve(options: argparse.Namespace, rest: list[str]) -> int:
    """Migrate the database, then serve."""
    environment = dict(os.environ)
    if not environment.get("SECRET_KEY"):
        if not is_loopback(options.host):
            print(
                f"To serve on {options.host}, set SECRET_KEY to 50 random characters, and"
                " ALLOWED_HOSTS to the names that clients use. A key is made here only for"
                " 127.0.0.1.",
                file=sys.stderr,
            )
            return 1
        environment["SECRET_KEY"] = own_key()
    if options.only:
        environment["ONLY"] = options.only
    install("requirements.lock")
    os.environ.update(environment)
    hold_interrupts()
    address = [options.host, str(options.port)]
    return _become(["-m", "gm_project.serving", *address, str(options.workers), "--migrate"])


def manage(options: argparse.Namespace, rest: list[str]) -> int:
    """Run one of Django's commands, or ours."""
    install("requirements.lock")
    return _become(["manage.py", *options.arguments])


def _run_or_explain(package: str, rest: list[str], more: str = "") -> int:
    """Run a package with the packages that it needs; its help needs none of them."""
    if {"-h", "--help"} & set(rest):
        return call([sys.executable, "-m", package, "--help"])
    install("requirements-dev.lock")
    if more:
        install(more)
    return _become(["-m", package, *rest])


def _become(arguments: list[str]) -> int:
    """Run Python in place of this process, so that signals reach it."""
    if os.name == "nt":
        return call([str(PYTHON), *arguments])
    sys.stdout.flush()
    return os.execv(PYTHON, [str(PYTHON), *arguments])  # noqa: S606 - no shell is the point
