"""The configuration files of `deploy/cluster/`, as Debian's own programs read them."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from cluster import files
from cluster.cluster import ROLE
from cluster.layout import NAME, Layout, Member
from cluster.node import Node

from ..standalone import ROOT

FOLDER = ROOT / "deploy" / "cluster"
PAGE = (ROOT / "docs" / "how-to" / "cluster.md").read_text()
(VARIABLES,) = re.findall(r"<<VARIABLES\n(.*?)^VARIABLES$", PAGE, re.M | re.S)
UNITS = (".service", ".d")
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin")


@pytest.fixture
def layout(tmp_path):
    made = Layout.new(tmp_path, apart=False)
    files.write_all(made)
    return made


def test_each_template_is_filled(layout):
    """No variable is left; and each file is one that a cluster has."""
    templates = {path.name for path in FOLDER.iterdir() if path.suffix not in UNITS}
    written = {path.name: path for path in layout.path.rglob("*") if path.is_file()}
    assert set(written) == templates
    for path in written.values():
        assert "${" not in path.read_text()


def test_passwords_are_not_for_others(layout):
    for path in layout.path.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")
def test_haproxy_takes_its_file(layout):
    done = subprocess.run(
        [HAPROXY, "-c", "-f", str(layout.path / "haproxy.cfg")], text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr


def test_what_nothing_may_be_lost_without(layout):
    """Patroni acknowledges nothing alone, and HAProxy cuts the sessions of a primary that is none."""
    dcs = yaml.safe_load((layout.path / "node1" / "patroni.yaml").read_text())["bootstrap"]["dcs"]
    assert dcs["synchronous_mode"] is dcs["synchronous_mode_strict"] is True
    assert dcs["loop_wait"] + 2 * dcs["retry_timeout"] <= dcs["ttl"]
    haproxy = (layout.path / "haproxy.cfg").read_text()
    assert "on-marked-down shutdown-sessions" in haproxy
    assert "OPTIONS /primary" in haproxy


def test_a_layout_is_kept(layout):
    layout.save()
    assert Layout.load(layout.path) == layout
    assert Layout.load(layout.path / "none") is None


def test_a_process_id_of_long_ago_is_not_believed(layout):
    """The file of a postmaster that is gone may name what is another process by now."""
    node = Node(layout, Member("node1", "127.0.0.1", 1, 2))
    layout.data(node.member).mkdir()
    (layout.data(node.member) / "postmaster.pid").write_text("1\n")
    assert node.postmaster() is None
    (layout.path / "run").mkdir()
    (layout.path / "run" / "node1").write_text("1 0")
    assert node.patroni.pid is None


def test_the_page_makes_the_same_role():
    for statement in ROLE[2:]:
        assert statement.format(name=NAME) in PAGE


def test_the_page_sets_each_variable():
    (passwords,) = re.findall("for name in ([A-Z ]+); do", PAGE)
    made = {
        *re.findall(r"^(\w+)=", VARIABLES, re.M),
        *(f"{one}_PASSWORD" for one in passwords.split()),
    }
    for path in filter(Path.is_file, FOLDER.iterdir()):
        named = set(re.findall(r"\$\{(\w+)\}", path.read_text()))
        assert named - made == set(), path.name


@pytest.mark.skipif(shutil.which("envsubst") is None, reason="gettext-base is not installed")
def test_a_second_run_of_the_page_changes_nothing(tmp_path):
    """As the page says, below another root, but for what starts and gives away."""
    passwords = tmp_path / "etc" / "patroni" / "passwords"
    (block,) = [
        one
        for one in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S)
        if "envsubst < etcd.yaml" in one
    ]
    for folder in ("patroni", "pgbouncer", "haproxy", "default", "systemd/system"):
        (tmp_path / "etc" / folder).mkdir(parents=True)
    passwords.write_text("APPLICATION_PASSWORD=example\n")
    own = {"${NODE:?}": "node1", "${NODE_HOST:?}": "10.0.0.11", "/etc/patroni/passwords": passwords}
    variables = VARIABLES
    for name, value in own.items():
        variables = variables.replace(name, str(value))
    (tmp_path / "etc" / "patroni" / "variables").write_text(variables)
    (tmp_path / "etc" / "haproxy" / "haproxy.cfg").write_text("global\n    daemon\n")
    (tmp_path / "etc" / "default" / "etcd").write_text("ETCD_CONFIG_FILE=/etc/another\n")
    block = re.sub(r"^(chown|systemctl) .*$", "", block, flags=re.M)
    here = shlex.quote(str(ROOT))
    block = block.replace("/opt/grant-management", here).replace("/etc/", f"{tmp_path}/etc/")
    seen = []
    for _ in range(2):
        subprocess.run(["bash", "-eu", "-c", block], check=True)
        files = (path for path in tmp_path.rglob("*") if path.is_file())
        seen.append({path: path.read_text() for path in files})
    assert seen[0] == seen[1]
    text = seen[0][tmp_path / "etc" / "haproxy" / "haproxy.cfg"]
    assert (text.count("listen primary"), text.count("global")) == (1, 1)
    assert seen[0][tmp_path / "etc" / "default" / "etcd"].count("ETCD_CONFIG_FILE=") == 1


def test_no_password_is_on_a_command_line_of_the_page():
    assert "--set=password" not in PAGE
    assert "\\getenv password APPLICATION_PASSWORD" in PAGE


def test_the_first_machine_waits_for_no_other():
    """etcd's unit is started once two of three run."""
    assert "enable --now --no-block etcd" in PAGE
