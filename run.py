#!/usr/bin/env python3
"""The one command: sets up .venv with the packages that it needs, then does what was asked.

Needs Python 3.11 or later, and nothing else: this file and what it imports use the standard library
alone.
"""

import argparse
import hashlib
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from gm_project.exclusive import alone, lock
from gm_project.listening import is_loopback
from gm_project.private_files import mend

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
WITHOUT_DATABASE = (
    "tests/conformance",
    "tests/hosts",
    "tests/protocol",
    "tests/release",
    "tests/test_chaos.py",
)
CHECKS = (
    (".", "-m", "ruff", "check", "."),
    (".", "-m", "ruff", "format", "--check", "."),
    (".", "-m", "mypy"),
    (".", "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    (".", "manage.py", "makemigrations", "--check", "--dry-run"),
    (".", "manage.py", "check"),
    ("examples/oauth_toolkit", "manage.py", "makemigrations", "--check", "--dry-run"),
    (
        "examples/allauth_idp",
        "manage.py",
        "makemigrations",
        "--check",
        "--dry-run",
        "--skip-checks",
    ),
)
"""What reads the code without running the tests: the folder, and the arguments of Python."""
KEY_FILE = HERE / ".secret_key"
SETUP_LOCK = HERE / ".setup-lock"


def main() -> int:
    """Run the command of the command line, and return its exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the machine may have an older one
        print(f"Python 3.11 or later is needed; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    options, rest = _parser().parse_known_args()
    if rest and options.command not in (test, bench, chaos):
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    os.chdir(HERE)
    command: Callable[[argparse.Namespace, list[str]], int] = options.command
    return command(options, rest)


def demo(options: argparse.Namespace, rest: list[str]) -> int:
    """Start a server with sample data, and make real calls to it."""
    _install("requirements.lock")
    once = ["--once"] if options.once else []
    return _become(["-m", "gm_project.demo", "--port", str(options.port), *once])


def test(options: argparse.Namespace, rest: list[str]) -> int:
    """Run the whole test suite on each database."""
    _install("requirements-dev.lock")
    databases = [options.db] if options.db else ["sqlite", "postgresql"]
    failed = False
    for number, database in enumerate(databases):
        print(f"\n== Tests on {database} ==", flush=True)
        arguments = ["-m", "pytest", "--db", database, "-n", "auto", "--dist", "worksteal"]
        if number:  # tests that need no database ran with the first one
            arguments += [f"--ignore={path}" for path in WITHOUT_DATABASE]
        failed |= subprocess.call([str(PYTHON), *arguments, *rest]) != 0
    return int(failed)


def check(options: argparse.Namespace, rest: list[str]) -> int:
    """Run the static checks (lint, format, types, layers, migrations); name those that failed."""
    _install("requirements-dev.lock")
    environment = {"SECRET_KEY": "only-for-these-checks", **os.environ}
    failed = []
    for folder, *arguments in CHECKS:
        print(f"\n== {' '.join(arguments)} ==", flush=True)
        if subprocess.call([str(PYTHON), *arguments], cwd=HERE / folder, env=environment):
            failed.append(" ".join(arguments))
    for one in failed:
        print(f"failed: {one}", file=sys.stderr)
    return int(bool(failed))


def bench(options: argparse.Namespace, rest: list[str]) -> int:
    """Measure what the endpoint costs, beside peers and floors."""
    _install("requirements-dev.lock")
    return _become(["-m", "benchmarks", *rest])


def chaos(options: argparse.Namespace, rest: list[str]) -> int:
    """Check that acknowledged writes outlive faults."""
    _install("requirements-dev.lock")
    return _become(["-m", "chaos", *rest])


def screenshots(options: argparse.Namespace, rest: list[str]) -> int:
    """Take the pictures of the documentation again."""
    _install("requirements-dev.lock")
    return _become(["-m", "tests.browser.screenshots"])


def docs(options: argparse.Namespace, rest: list[str]) -> int:
    """Build the documents' site into build/docs."""
    _install("requirements-dev.lock")
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
        environment["SECRET_KEY"] = _own_key()
    if options.only:
        environment["ONLY"] = options.only
    _install("requirements.lock")
    os.environ.update(environment)
    address = [options.host, str(options.port)]
    return _become(["-m", "gm_project.server", *address, str(options.workers), "--migrate"])


def manage(options: argparse.Namespace, rest: list[str]) -> int:
    """Run one of Django's commands, or ours."""
    _install("requirements.lock")
    return _become(["manage.py", *options.arguments])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("demo", help="start a server with sample data, and call it")
    one.add_argument("--once", action="store_true", help="end after the calls")
    one.add_argument("--port", type=int, default=8000, help="or the next free one")
    one.set_defaults(command=demo)
    one = commands.add_parser("test", help="run the tests, on SQLite and on PostgreSQL")
    one.add_argument("--db", choices=["sqlite", "postgresql"], help="on this one only")
    one.set_defaults(command=test)
    one = commands.add_parser("check", help="lint, types, layers and migrations")
    one.set_defaults(command=check)
    one = commands.add_parser(
        "bench", help="measure the endpoint, beside peers and floors", add_help=False
    )
    one.set_defaults(command=bench)
    one = commands.add_parser(
        "chaos", help="load, inject faults, and judge what was lost", add_help=False
    )
    one.set_defaults(command=chaos)
    one = commands.add_parser("screenshots", help="take the pictures of the documentation again")
    one.set_defaults(command=screenshots)
    one = commands.add_parser("docs", help="build the documents' site into build/docs")
    one.set_defaults(command=docs)
    one = commands.add_parser("serve", help="migrate the database, then serve")
    one.add_argument("--host", default="127.0.0.1")
    one.add_argument("--port", type=int, default=8000)
    one.add_argument("--workers", type=int, default=0, help="processes; default: by the machine")
    one.add_argument("--only", choices=["api", "admin"], help="this door alone")
    one.set_defaults(command=serve)
    one = commands.add_parser("manage", help="run one of Django's commands, or ours")
    one.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS")
    one.set_defaults(command=manage)
    return parser


def _install(requirements: str) -> None:
    """Install the packages of a requirements file into .venv, unless they are there."""
    if not _is_installed(requirements):
        with alone(lambda: lock(SETUP_LOCK), _say_waiting):
            if not _is_installed(requirements):
                _set_up(requirements)


def _say_waiting() -> None:
    print(f"Another process sets up {VENV.name}: waiting for it …", flush=True)


def _is_installed(requirements: str) -> bool:
    stamp = VENV / f".{requirements}"
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == _digest(requirements)


def _digest(requirements: str) -> str:
    return hashlib.sha256((HERE / requirements).read_bytes() + sys.version.encode()).hexdigest()


def _set_up(requirements: str) -> None:
    print(f"Setting up {VENV.name} from {requirements}: once, and when that changes …", flush=True)
    # Without pip the environment is broken, such as by an interrupt, and is made anew.
    if not PYTHON.exists() or subprocess.call([str(PYTHON), "-c", "import pip"]):
        _make_venv()
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.call([str(PYTHON), *pip, "--require-hashes", "-r", requirements]):
        sys.exit(
            "The packages could not be installed: is the network reachable? Then run it again."
        )
    (VENV / f".{requirements}").write_text(_digest(requirements))


def _make_venv() -> None:
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        sys.exit(
            "Python's venv module is missing or broken. On Debian and Ubuntu it is a package:"
            " apt-get install python3-venv"
        )


def _own_key() -> str:
    """The secret key of this checkout, made once; only its owner can read it."""
    if not KEY_FILE.exists():
        _make_key()
    mend(KEY_FILE)
    return KEY_FILE.read_text().strip()


def _make_key() -> None:
    """Write a new key, unless another process was first.

    It is linked into place as a whole, so that no process reads half a key.
    """
    descriptor, name = tempfile.mkstemp(prefix=f"{KEY_FILE.name}-", dir=KEY_FILE.parent)
    with open(descriptor, "w") as stream:
        stream.write(secrets.token_urlsafe(50))
    try:
        os.link(name, KEY_FILE)
    except FileExistsError:
        return
    finally:
        os.unlink(name)


def _become(arguments: list[str]) -> int:
    """Run Python in place of this process, so that signals reach it."""
    if os.name == "nt":
        return subprocess.call([str(PYTHON), *arguments])
    sys.stdout.flush()
    return os.execv(PYTHON, [str(PYTHON), *arguments])  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    sys.exit(main())
