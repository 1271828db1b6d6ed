"""The two lines that move a service into a database of its own, as the page has them."""

import os
import subprocess
import sys

import pytest

from ..standalone import ROOT, environment
from .page import blocks
from .test_self_service import GRANT

COUNT = """
from grant_management.db import apart
from grant_management.models import Grant
with apart.service(1001):
    print(Grant.objects.count())
"""


@pytest.fixture
def manage(seen_once, tmp_path):
    """Runs a block of a shell, in which `gm-manage` is on the PATH."""
    program = tmp_path / "bin" / "gm-manage"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "manage.py"}" "$@"\n')
    program.chmod(0o755)
    env = environment(
        SECRET_KEY="x" * 50,
        PATH=f"{program.parent}:{os.environ['PATH']}",
        DATABASE_URL=f"sqlite:///{tmp_path / 'first.sqlite3'}",
        DATABASE_URL_EU=f"sqlite:///{tmp_path / 'eu.sqlite3'}",
        DATABASE_URL_US=f"sqlite:///{tmp_path / 'us.sqlite3'}",
    )

    def run(text, services):
        done = subprocess.run(
            ["bash", "-euc", text],
            cwd=tmp_path,
            env=env | {"SERVICE_DATABASES": services},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_service_moves(manage):
    before, after = "1002=us", "1001=eu,1002=us"
    for line in ("migrate -v 0", "migrate -v 0 --database us", "create_organization B --id 1"):
        manage(f"gm-manage {line}", before)
    manage("gm-manage create_service --organization 1 --id 1001 --name Retail", before)
    manage(f"gm-manage shell -v 0 -c '{GRANT}'", before)
    manage("gm-manage migrate -v 0 --database eu", after)
    found = (
        one for one in blocks("how-to/apart.md") if one.text.startswith("SERVICE_DATABASES=1002")
    )
    (moved,) = found
    assert moved.is_shell
    manage(moved.text, after)
    assert manage(f"gm-manage shell -v 0 -c '{COUNT}'", after).strip() == "1"
