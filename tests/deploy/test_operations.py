"""What `docs/how-to/operations.md` says to type."""

import re
import shlex
import subprocess
import sys

import pytest
from django.core.management import get_commands, load_command_class

from ..standalone import ROOT, environment

TEXT = (ROOT / "docs" / "how-to" / "operations.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.M | re.S)
LINES = [line for block in BLOCKS for line in block.splitlines()]
OURS = [shlex.split(line)[1:] for line in LINES if line.startswith("gm-manage ")]


@pytest.fixture(scope="module", autouse=True)
def once(request):
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("seen with --db sqlite")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block[:30])
def test_shells_can_read_it(block):
    done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_script_can_be_read():
    subprocess.run(["sh", "-n", ROOT / "deploy" / "gm-manage"], check=True)


@pytest.mark.parametrize("line", OURS, ids=" ".join)
def test_commands_and_their_options_exist(line):
    name, *arguments = line
    apps = get_commands()
    if name == "doctor" and name not in apps:
        pytest.skip("not built yet")
    parser = load_command_class(apps[name], name).create_parser("manage.py", name)
    parser.parse_args(arguments)


def test_files_exist():
    named = set(re.findall(r"\bdeploy/[\w.-]*\w", TEXT)) - {"deploy/.env"}
    there = {f"deploy/{path.name}" for path in (ROOT / "deploy").iterdir()}
    assert there - named - {"deploy/__pycache__"} == {
        "deploy/Containerfile.dockerignore",
        "deploy/cluster",  # docs/how-to/cluster.md names it
        "deploy/haproxy.cfg",  # docs/how-to/proxies.md names it
        "deploy/grafana-dashboard.json",  # docs/how-to/observability.md names it, and the next two
        "deploy/grant-management.rules.yml",
        "deploy/prometheus.yml",
    }
    assert all((ROOT / name).exists() for name in named)


def test_settings(tmp_path):
    """The environment file as the block writes it, read by a shell: only HSTS is left to decide."""
    (block,) = [block for block in BLOCKS if "SECRET_KEY=" in block and "DATABASE_URL" in block]
    written = block.partition("\n")[2].replace("/etc/grant-management", str(tmp_path))
    name = {"NAME": "gm.example.com"}
    subprocess.run(["bash", "-eu", "-c", written], env=environment(**name), check=True)
    text = (tmp_path / "environment").read_text()
    expected = re.findall(r"^#   (\w+=.*)$", (ROOT / "deploy" / "nginx.conf").read_text(), re.M)
    assert len(expected) == 3  # what nginx's file asks of it
    assert set(expected) <= set(text.splitlines())
    url = f"DATABASE_URL=sqlite:///{tmp_path / 'own.sqlite3'}"
    (tmp_path / "environment").write_text(re.sub("DATABASE_URL=.*", url, text))
    line = f"set -a; . {tmp_path / 'environment'}; exec {shlex.quote(sys.executable)} manage.py check --deploy"
    done = subprocess.run(
        ["sh", "-eu", "-c", line], cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0
    # What the app itself warns of (grant_management.W…) depends on the machine: docs/reference/health.md.
    warnings = set(re.findall(r"\((security\.\w+)\)", done.stderr))
    assert warnings == {"security.W005", "security.W008", "security.W021"}
    assert all(f"`{warning}`" in TEXT for warning in warnings)
