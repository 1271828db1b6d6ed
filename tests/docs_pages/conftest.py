"""What the readers of the pages have: the wheel and its dependencies to install, and a checkout."""

import fcntl
import os
import shutil
import subprocess
import sys

import pytest

from ..standalone import ROOT
from .reader import Reader

EXTRAS = "django-grant-management[allauth,oauth-toolkit,postgres]"


def run(*line, **options):
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr[-3_000:] + done.stdout[-1_000:]
    return done.stdout


@pytest.fixture(scope="session")
def once(tmp_path_factory, worker_id):
    """Make a folder by a function, once for all workers of a run."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent

    def make(name, fill):
        folder = base / f"docs-pages-{name}"
        with (base / f"docs-pages-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                part = base / f"docs-pages-{name}.part"
                part.mkdir()
                fill(part)
                part.rename(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def packages(once, wheel):
    """The wheel, what it needs, and what the pages install beside it; nothing else is installed."""

    def fill(folder):
        get = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
        get += ["--dest", folder, "--find-links", wheel.parent]
        run(*get, EXTRAS, "sentry-sdk", "authlete", "authlib>=1.9,<2", "requests")
        run(*get, "--require-hashes", "--no-deps", "-r", ROOT / "requirements.lock")

    return once("packages", fill)


@pytest.fixture(scope="session")
def repository(once):
    """The files of this checkout as a repository that can be cloned."""

    def fill(folder):
        names = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).splitlines()
        for name in names:
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
        for line in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "Files"]):
            run("git", *line, cwd=folder)

    return once("repository", fill)


@pytest.fixture(scope="session")
def service(once, repository, packages):
    """A checkout that is set up, as the first tutorial leaves it, without its database."""

    def fill(folder):
        run("git", "clone", "-q", repository, folder / "grant-management")
        env = os.environ | pip_of(packages)
        run("python3", "run.py", "manage", "check", cwd=folder / "grant-management", env=env)

    return once("service", fill) / "grant-management"


def pip_of(packages):
    """Pip takes these packages, and asks no index."""
    return {
        "PIP_FIND_LINKS": str(packages),
        "PIP_NO_INDEX": "1",
        "PIP_NO_COMPILE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


@pytest.fixture
def seen_once(request):
    """A page has a database of its own: one of the two runs is enough."""
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("seen with --db sqlite")


@pytest.fixture
def reader(seen_once, packages, repository, tmp_path):
    """Make a reader, in an empty folder."""
    made = []

    def make(folder=tmp_path, **how):
        env = pip_of(packages) | {"REPOSITORY": str(repository)} | how.pop("env", {})
        made.append(Reader(folder, **how, **env))
        return made[-1].__enter__()

    yield make
    for one in made:
        one.__exit__()


@pytest.fixture
def checkout(service, tmp_path):
    """A set-up checkout of its own, with an empty database; its packages are shared."""
    folder = tmp_path / "grant-management"
    ignored = shutil.ignore_patterns(".venv", ".git", "tests", "db.sqlite3*")
    shutil.copytree(service, folder, ignore=ignored)
    (folder / ".venv").symlink_to(service / ".venv")
    return folder
