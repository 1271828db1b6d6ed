"""What is run before a release: the matrix of versions, and the packages.

docs/how-to/releasing.md says how.

`nox -l` lists the sessions. An interpreter that this machine does not have is named, and left out.
"""

import os
import re
import shutil
from pathlib import Path

import nox

HERE = Path(__file__).parent
DIST = HERE / "dist"
OLDEST = ("3.11", "5.2")
PYTHONS = ("3.12", "3.13", "3.14")
DJANGOS = ("5.2", "6.0", "6.1")
PAIRS = [OLDEST, *((python, django) for python in PYTHONS for django in DJANGOS)]
DATABASES = ("sqlite", "15", "16", "17", "18")
CORE = (
    "tests/admin/test_languages.py",
    "tests/admin/test_lists.py",
    "tests/admin/test_short_lists.py",
    "tests/checks",
    "tests/endpoint",
    "tests/models",
    "tests/protocol",
    "tests/api/test_store.py",
    "tests/management/test_commands.py",
    "tests/lifecycle/test_lifecycle.py",
)
"""What shows within minutes that a pair works at all."""
LOCKED = ("--require-hashes", "--no-deps", "-r")
"""Options of pip for a file that names every package with its hashes."""
NO_HOME = "django-grant-management.example"
"""The host of the project's addresses until it has a home: nobody can own it (RFC 2606)."""

nox.needs_version = ">=2025.2"
# With pip, which knows the index and the certificates that a machine is configured for.
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = False
# pyenv keeps each version in a folder of its own; its shims run the chosen one alone.
for folder in sorted(Path.home().glob(".pyenv/versions/*/bin")):
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


@nox.session
@nox.parametrize("python,django", PAIRS)
def tests(session: nox.Session, django: str) -> None:
    """Run the suite: `-- [sqlite] [15] … [18] [core] [arguments of pytest]`.

    Without a database: on each. `--slow`: all of it.
    """
    chosen = [one for one in session.posargs if one in DATABASES] or DATABASES
    rest = [one for one in session.posargs if one not in (*DATABASES, "core")]
    rest += CORE if "core" in session.posargs else ()
    _install(session, django)
    for database in chosen:
        _pytest(session, database, *rest)


NEWEST = next((one for one in PYTHONS[::-1] if shutil.which(f"python{one}")), None)
"""The newest Python of this machine that the newest Django runs on."""


@nox.session(python=NEWEST or False)
def newest(session: nox.Session) -> None:
    """Run the core of the suite with the newest Python of this machine and the newest Django; on
    PostgreSQL what it may answer otherwise.
    """
    if NEWEST is None:
        these = " or ".join(PYTHONS)
        session.skip(
            f"NOT RUN: Django {DJANGOS[-1]} on SQLite and PostgreSQL 18. It needs Python {these},"
            " which this machine does not have"
        )
    _install(session, DJANGOS[-1])
    _pytest(session, "sqlite", *CORE)
    _pytest(session, "18", "tests/endpoint/test_flow.py", *CORE[-3:])


@nox.session
def package(session: nox.Session) -> None:
    """Build the sdist and the wheel in dist/, and check them."""
    session.install(*LOCKED, "requirements-release.lock")
    shutil.rmtree(DIST, ignore_errors=True)
    session.run("python", "-m", "build", "--no-isolation", "--outdir", str(DIST), silent=True)
    (sdist,), (wheel,) = (map(str, DIST.glob(pattern)) for pattern in ("*.tar.gz", "*.whl"))
    session.run("twine", "check", "--strict", sdist, wheel)
    session.run("check-wheel-contents", wheel)
    session.run("pyroma", "--min", "10", sdist)


@nox.session
def inventory(session: nox.Session) -> None:
    """Write what the service consists of: dist/sbom.cdx.json (CycloneDX), dist/licences.md."""
    session.install(*LOCKED, "requirements-release.lock")
    environment = Path(session.create_tmp()) / "service"
    session.run("python", "-m", "venv", "--clear", str(environment))
    python = str(environment / "bin" / "python")
    install = (python, "-m", "pip", "install", "--quiet")
    session.run(*install, *LOCKED, "requirements.lock", external=True)
    session.run(*install, "--no-deps", str(HERE), external=True)
    DIST.mkdir(exist_ok=True)
    written = ("--output-file", str(DIST / "sbom.cdx.json"))
    session.run("cyclonedx-py", "environment", python, "--output-reproducible", *written)
    written = ("--output-file", str(DIST / "licences.md"))
    session.run("pip-licenses", "--python", python, "--format", "markdown", *written)


@nox.session(python=False)
def release(session: nox.Session) -> None:
    """Say what stands in the way of a release. Nothing is published here."""
    missing = [*_without_a_home(session), *_without_notes(), *_without_packages()]
    if session.run("git", "status", "--porcelain", external=True, silent=True):
        missing.append("There are changes that are not committed.")
    if missing:
        session.error("\n".join(("Not to be released yet:", *missing)))
    session.log("Ready. docs/how-to/releasing.md says how to publish dist/.")


def _install(session: nox.Session, django: str) -> None:
    """The locked packages, then Django as asked for."""
    session.install(*LOCKED, "requirements-dev.lock")
    session.install(f"django=={django}.*")


def _pytest(session: nox.Session, database: str, *arguments: str) -> None:
    options = ["--db", "sqlite"]
    if database != "sqlite":
        options = ["--db", "postgresql", "--postgresql", _postgresql(session, database)]
    workers = ("-n", "auto", "--dist", "worksteal")
    session.run("python", "-m", "pytest", "-q", *options, *workers, *arguments)


def _postgresql(session: nox.Session, version: str) -> str:
    """What `--postgresql` takes: a version that comes by pip, or Debian's programs, or npm's."""
    debian = Path(f"/usr/lib/postgresql/{version}/bin")
    if version in ("16", "18") or debian.exists():
        return version if version in ("16", "18") else str(debian)
    packages = HERE / "tests" / "postgresql"
    session.run("npm", "ci", "--silent", "--prefix", str(packages), external=True)
    return str(packages / "node_modules" / f"postgresql-{version}" / "native" / "bin")


def _without_a_home(session: nox.Session) -> list[str]:
    """Each file that is part of the packages or of the documents and still has that host."""
    but = (":!noxfile.py", ":!docs/how-to/releasing.md")
    line = ("git", "grep", "--files-with-matches", NO_HOME, "--", ".", *but)
    found = session.run(*line, external=True, silent=True, success_codes=(0, 1))
    return [f"{name}: {NO_HOME} is a host that nobody owns." for name in str(found).split()]


def _without_notes() -> list[str]:
    version = _version()
    dated = re.compile(rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$", re.MULTILINE)
    if dated.search((HERE / "CHANGELOG.md").read_text()):
        return []
    return [f"CHANGELOG.md: no section '## {version} (YYYY-MM-DD)'."]


def _without_packages() -> list[str]:
    version = _version()
    wanted = (f"*-{version}.tar.gz", f"*-{version}-*.whl", "sbom.cdx.json", "licences.md")
    return [f"dist/: no {one}." for one in wanted if not list(DIST.glob(one))]


def _version() -> str:
    text = (HERE / "grant_management" / "__init__.py").read_text()
    return re.search(r'__version__ = "(.+)"', text)[1]
