"""What pages are followed with: a wheel, a virtual environment that has it, and a checkout."""

import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from gm_project.database.exclusive import alone, lock
from gm_project.launcher.environment import digest_of

from ..standalone import ROOT
from .place import Place


def run(*arguments, cwd=ROOT):
    done = subprocess.run(list(map(str, arguments)), cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-1_000:] + done.stderr[-4_000:]
    return done.stdout


@pytest.fixture(scope="session")
def kit(tmp_path_factory, request):
    """The folders `venv` and `wheels`: made by the first process that needs them."""
    base = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        base = base.parent
    found = SimpleNamespace(venv=base / "docs-venv", wheels=base / "docs-wheels")
    with alone(lambda: lock(base / "docs-lock"), lambda: None):
        if not (found.venv / "made").exists():
            make_kit(found)
            (found.venv / "made").touch()
    return found


def make_kit(found):
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir")
    run(sys.executable, *build, found.wheels)
    (wheel,) = found.wheels.glob("*.whl")
    run(sys.executable, "-m", "venv", found.venv)
    run(found.venv / "bin/python", "-m", "pip", "install", "-q", "--no-index", "--no-deps", wheel)
    for name in ("requirements.lock", "requirements-dev.lock"):  # run.py has nothing to install
        (found.venv / f".{name}").write_text(digest_of(name))


@pytest.fixture
def place(kit, tmp_path):
    """Makes the place of a starting state."""
    with Place(tmp_path, kit.venv, kit.wheels) as made:

        def start(state):
            STARTS[state](made, kit)
            return made

        yield start


def checkout(made, kit):
    """The files of this checkout that git has or would take."""
    names = run("git", "ls-files", "-co", "--exclude-standard", "-z").split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            to = made.folder / name
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to)
    (made.folder / ".venv").symlink_to(kit.venv)


def new_project(made, kit):
    run(sys.executable, "-m", "django", "startproject", "mysite", ".", cwd=made.folder)


STARTS = {
    "an empty folder": lambda made, kit: None,
    "a checkout": checkout,
    "a new Django project": new_project,
}
