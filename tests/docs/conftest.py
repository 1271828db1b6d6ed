"""What pages are followed with: a checkout and its packages, or the wheel and what it asks for."""

import hashlib
import re
import shlex
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from gm_project.launcher.environment import digest_of

from ..distribution import download, once, run
from ..standalone import ROOT
from .place import Place

INSTALLS = re.compile(r"\bpip install (.+)$", re.MULTILINE)


@pytest.fixture(scope="session")
def developers(wheel):
    """A checkout's environment, in which `run.py` finds nothing to install."""
    return once("docs-developers", lambda folder: make_developers(folder, wheel))


def make_developers(folder, wheel):
    venv.create(folder, with_pip=True)
    install = ("-m", "pip", "install", "-q", "--no-index", "--no-deps")
    run(folder / "bin/python", *install, wheel)
    for name in ("requirements.lock", "requirements-dev.lock"):
        (folder / f".{name}").write_text(digest_of(name))


@pytest.fixture
def place(request, tmp_path):
    """Makes the place where a stage of a page is followed."""
    with Place(tmp_path) as made:

        def start(stage):
            STARTS[stage.start](made, request.getfixturevalue, stage)
            return made

        yield start


def checkout(made, get, stage):
    """The files of this checkout that git has or would take."""
    names = run("git", "ls-files", "-co", "--exclude-standard", "-z", cwd=ROOT).split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            to = made.folder / name
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to)
    (made.folder / ".venv").symlink_to(get("developers"))
    # What requirements-dev.lock names is taken from here.
    made.has(get("developers"), [], PYTHONPATH=sysconfig.get_path("purelib"))


def new_project(made, get, stage):
    """A project beside the wheel and what its metadata asks for; nothing else can be imported."""
    empty_folder(made, get, stage)
    run(sys.executable, "-m", "django", "startproject", "mysite", ".", cwd=made.folder)


def empty_folder(made, get, stage):
    wheel, folder = get("wheel"), made.folder.parent / "venv"
    make_own(folder, get("installed"))
    made.has(folder, [wheel.parent, *packages_of(stage, wheel)])


def make_own(folder, installed):
    """An environment that has what another one has, and what a page adds."""
    venv.create(folder, symlinks=True)
    (packages_in(folder) / "installed.pth").write_text(f"{packages_in(installed.parent.parent)}\n")
    pip = folder / "bin" / "pip"
    pip.write_text('#!/bin/sh\nexec "${0%/*}/python" -m pip "$@"\n')
    pip.chmod(0o755)


def packages_in(folder):
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))


def packages_of(stage, wheel):
    """Folders with what the stage's own commands install."""
    lines = [line for block in stage.blocks for line in INSTALLS.findall(block.text)]
    words = {word for line in lines for word in shlex.split(line) if not word.startswith("-")}
    if wanted := sorted(words - {"django-grant-management"}):
        name = hashlib.sha256(" ".join(wanted).encode()).hexdigest()[:12]
        yield once(f"docs-{name}", lambda folder: download(folder, wheel, *wanted))


STARTS = {
    "an empty folder": empty_folder,
    "a checkout": checkout,
    "a new Django project": new_project,
}
