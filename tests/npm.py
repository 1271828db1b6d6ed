"""Published packages of npm, which the tests drive: installed once a run, from their lock."""

import json
import os
import shutil
import subprocess

import pytest

from .standalone import ROOT

NODE = ROOT / "tests" / "node"


@pytest.fixture(scope="session")
def npm(tmp_path_factory):
    """The folder of the scripts, beside their packages."""
    if shutil.which("npm") is None:
        message = "needs node and npm"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    folder = tmp_path_factory.mktemp("node")
    for path in NODE.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    install = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=300)
    return folder


@pytest.fixture(scope="session")
def node(npm):
    """Run a script; what it said."""

    def run(script, **arguments):
        line = ["node", script, json.dumps(arguments)]
        done = subprocess.run(line, cwd=npm, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr[-3_000:]
        return json.loads(done.stdout)

    return run
