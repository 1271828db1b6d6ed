"""Three empty machines by docs/how-to/cluster.md alone: its commands, as written, in their order.

Network namespaces and root file systems of their own stand in for machines. One run has them all,
since installing takes minutes: each test goes on from the one before.
"""

import json
import re
import secrets
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from chaos.load import HANDS
from chaos.place import world
from cluster.daemons import descendants, wait
from cluster.programs import postgresql

from ..docs.pages import blocks
from ..standalone import ROOT
from . import machines
from .machines import Machine, Network

PAGE = ROOT / "docs" / "how-to" / "cluster.md"
NAMES = ("node1", "node2", "node3")
LIST = "/opt/patroni/bin/patronictl -c /etc/patroni/patroni.yaml list --format json"
FILE = "etc/patroni/passwords"
REMOVE = "grant-management\nYes I am aware\n"
"""What `patronictl remove` asks for."""
pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif("not config.getoption('--slow')", reason="takes ten minutes: --slow"),
    pytest.mark.skipif(bool(machines.missing()), reason=machines.missing()),
]


def block(*words, without="\0"):
    """The one block of the page that has these words."""
    (found,) = [
        one.text
        for one in blocks(PAGE)
        if one.language == "sh"
        and all(word in one.text for word in words)
        and without not in one.text
    ]
    return found


class Operator:
    """Whoever follows the page: what is set in a shell stays set, and each machine has one shell."""

    def __init__(self, folder, stack):
        self.began = time.monotonic()
        self.folder, self._stack = folder, stack
        self.shared = folder / "shared"
        self.shared.mkdir(mode=0o711)
        self.base = folder / "base"
        machines.make_base(self.base)
        stack.enter_context(Network())
        self.all = [self.machine(name, f"10.0.0.1{name[-1]}") for name in NAMES]
        self.said = {}

    def machine(self, name, address):
        """Another empty machine."""
        folder = self.folder / address
        folder.mkdir()
        made = Machine(folder, self.base, self.shared, name, address)
        self._stack.enter_context(made)
        return made

    def each(self, text, *, among=None, **more):
        """Run a block on each machine, as in three windows."""
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(lambda one: self.on(one, text, **more), among or self.all))

    def on(self, machine, text, **more):
        """Run a block on one machine, in its shell."""
        own = {"NODE": machine.name, "NODE_HOST": machine.address, "NAME": "gm.example.com"}
        return machine.run(text, environment=own | {"REPOSITORY": "/repository"}, **more)

    def install(self, among=None):
        """The blocks of *Install*, up to the variables."""
        for machine in among or self.all:
            self._clone(machine)
        self.each(block("apt-get update"), among=among, online=True)

    def passwords(self, source, *targets):
        """Copy the file of the passwords, as scp does."""
        for target in targets:
            shutil.copy(source.root / FILE, target.root / FILE)

    def leader(self):
        """The machine of the leader; None: there is none."""
        names = [one["Member"] for one in self.members() if one["Role"] == "Leader"]
        return next((one for one in self.all if one.name in names), None)

    def primary(self, seconds=120):
        """The machine of the leader, once the others stream from it."""

        def is_there():
            states = sorted(one["State"] for one in self.members())
            return self.leader() is not None and states == ["running", "streaming", "streaming"]

        assert wait(is_there, seconds), self.members()
        return self.leader()

    def members(self):
        """What patronictl lists."""
        for machine in self.all:
            try:
                return json.loads(machine.run(LIST, types=False))
            except (AssertionError, IndexError, ValueError):
                continue
        return []

    def _clone(self, machine):
        """The project's address: here a folder that has this checkout."""
        shutil.copytree(ROOT / ".git", machine.root / "repository" / ".git")


@pytest.fixture(scope="module")
def operator():
    """Three machines, on which the page's *Install* is done."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gm-machines-")))
        folder.chmod(0o711)
        yield Operator(folder, stack)


def sql(machine, statement, database="grant-management"):
    """What the primary answers, asked on a machine."""
    line = f'psql -qtA "postgresql://postgres@127.0.0.1:5000/{database}" -c "{statement}"'
    text = f"set -a; . /etc/patroni/variables; set +a; PGPASSWORD=$SUPERUSER_PASSWORD {line}"
    return machine.run(text, types=False).strip()


def test_from_empty_machines_to_a_cluster(operator):
    began = time.monotonic()
    first = operator.all[0]
    operator.install()
    operator.on(first, block("openssl rand -hex 24"))
    operator.passwords(first, *operator.all[1:])
    operator.each(block("<<VARIABLES"))
    operator.each(block("envsubst < etcd.yaml"))
    operator.each(block("enable --now --no-block etcd"))
    operator.primary()
    operator.on(first, block("CREATE ROLE"))
    operator.each(block("<<SETTINGS", "DATABASE_URL="))
    token = operator.on(first, block("gm-manage issue_api_token"))
    assert token
    operator.each(block("enable --now grant-management"))
    typed = [machine.typed for machine in operator.all]
    print(f"\na cluster after {time.monotonic() - began:.0f} s; typed characters: {typed}")


def test_it_survives_kill_9_of_the_primary_under_load(operator):
    primary = operator.primary()
    other = next(one for one in operator.all if one is not primary)
    hands = [f"hand-{number}" for number in range(HANDS)]
    tokens = {client: secrets.token_urlsafe(32) for client in (*hands, "probe")}
    api_token = secrets.token_urlsafe(32)
    records = [
        one for one in world(api_token, tokens) if one["type"] not in ("organization", "service")
    ]
    lines = "".join(json.dumps(one) + "\n" for one in records)
    (other.root / "var/lib/grant-management/world.jsonl").write_text(lines)
    other.run("gm-manage import_grants /var/lib/grant-management/world.jsonl", types=False)
    told = other.run(". /etc/patroni/passwords; echo $SUPERUSER_PASSWORD", types=False).strip()
    file = operator.folder / "credentials.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({"api_token": api_token, "tokens": tokens, "superuser": told}))
    pids = [str(pid) for pid in descendants(primary.init) if is_postgresql(pid)]
    assert pids
    print(other.beside("tests.cluster.survival", str(file), *pids))
    assert operator.primary() is not primary


def is_postgresql(pid):
    return Path(f"/proc/{pid}/comm").read_text().startswith("postgres")


def test_a_switchover_by_hand(operator):
    primary = operator.primary()
    operator.on(primary, block("switchover --force"))
    assert operator.primary() is not primary


def test_a_machine_is_replaced(operator):
    """node2 loses its power, and a machine with another address takes its place."""
    old = operator.all[1]
    stay = [one for one in operator.all if one is not old]
    old.end()
    listed = stay[0].run("etcdctl --endpoints=http://10.0.0.11:2379 member list", types=False)
    (number,) = [line.split(",")[0] for line in listed.splitlines() if "10.0.0.12" in line]
    stay[0].run(block("member remove"), environment={"ID": number})
    operator.each(block("10.0.0.14/g"), among=stay)
    operator.each(block("envsubst < etcd.yaml"), among=stay)
    operator.each(block("systemctl reload haproxy grant-management-patroni"), among=stay)
    new = operator.machine("node2", "10.0.0.14")
    operator.all[1] = new
    operator.install([new])
    operator.passwords(stay[0], new)
    for text in (block("<<VARIABLES"), block("10.0.0.14/g"), block("envsubst < etcd.yaml")):
        operator.on(new, text)
    operator.on(new, block("initial-cluster-state"))
    operator.on(new, block("enable --now --no-block etcd"))
    operator.on(new, block("<<SETTINGS", "DATABASE_URL="))
    operator.primary()
    operator.on(new, block("enable --now grant-management"))
    health = new.run("etcdctl --endpoints=http://10.0.0.14:2379 endpoint health 2>&1", types=False)
    assert "is healthy" in health


CLIENTS = "SELECT count(*) FROM grant_management_client"


def test_a_restore_to_a_moment(operator):
    """A bad DELETE is undone, on all three."""
    first, *others = operator.all
    operator.on(operator.primary(), block("archive_mode:"))
    primary = operator.primary()
    assert wait(lambda: sql(primary, "SHOW archive_mode") == "on", 60)
    operator.on(first, block("pg_basebackup"))
    before = sql(first, CLIENTS)
    moment = sql(first, "SELECT clock_timestamp()")
    sql(first, "SET session_replication_role = replica; DELETE FROM grant_management_client")
    assert sql(first, CLIENTS) == "0" != before
    segment = sql(first, "SELECT pg_walfile_name(pg_switch_wal())")
    archived = operator.shared / "log" / segment
    assert wait(archived.exists, 120)
    stop = block("systemctl stop grant-management grant-management-patroni")
    operator.each(stop, among=[one for one in operator.all if one is not primary])
    operator.on(primary, stop)
    restore = re.sub("MOMENT='.*'", f"MOMENT='{moment}'", block("MOMENT="))
    operator.on(first, restore, answers=REMOVE)
    assert wait(lambda: operator.leader() is first, 60)
    operator.each(block("rm -rf /var/lib/postgresql/patroni/data"), among=others)
    operator.primary()
    assert sql(first, CLIENTS) == before


def test_another_major_version(operator):
    """From Debian's 15 to the 18 that the tests have."""
    first, *others = operator.all
    for machine in operator.all:
        target = machine.root / "usr/lib/postgresql/18"
        shutil.copytree(postgresql().parent, target, symlinks=True)
    before = sql(first, CLIENTS)
    assert int(before)

    def newer(*words):
        return block(*words).replace("/postgresql/17/", "/postgresql/18/")

    operator.each(block("systemctl stop grant-management\n"))
    operator.on(first, newer("bin/pg_dump"))
    primary = operator.primary()
    leave = newer("data.15")
    operator.each(leave, among=[one for one in operator.all if one is not primary])
    operator.on(primary, leave)
    again = block(
        "remove grant-management\nsystemctl start grant-management-patroni", without="MOMENT"
    )
    remove, start = again.splitlines()
    operator.on(first, remove, answers=REMOVE)
    operator.on(first, start)
    assert wait(lambda: operator.leader() is first, 120)
    operator.each(start, among=others)
    operator.primary()
    operator.on(first, block("CREATE ROLE"))
    operator.on(first, newer("bin/pg_restore"))
    assert sql(first, CLIENTS) == before
    assert sql(first, "SHOW server_version").startswith("18")
    operator.each(block("enable --now grant-management"))
