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
from contextlib import ExitStack
from pathlib import Path

import pytest

from chaos.load import HANDS
from chaos.place import world
from chaos.processes import descendants
from cluster.daemons import wait
from cluster.programs import postgresql

from . import machines
from .operator import Operator, block, sql

REMOVE = "grant-management\nYes I am aware\n"
"""What `patronictl remove` asks for."""
pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif("not config.getoption('--slow')", reason="takes ten minutes: --slow"),
    pytest.mark.skipif(bool(machines.missing()), reason=machines.missing()),
]


@pytest.fixture(scope="module")
def operator():
    """Three machines, on which the page's *Install* is done."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gm-machines-")))
        folder.chmod(0o711)
        yield Operator(folder, stack)


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
    lines = "".join(json.dumps(one) + "\n" for one in world(api_token, tokens))
    (other.root / "var/lib/grant-management/world.jsonl").write_text(lines)
    other.run("gm-manage import_grants /var/lib/grant-management/world.jsonl", types=False)
    told = other.run(". /etc/patroni/passwords; echo $SUPERUSER_PASSWORD", types=False).strip()
    file = operator.folder / "credentials.json"
    file.touch(mode=0o600)
    own = {"superuser": told, "log": str(other.root / "var/log/grant-management.service.log")}
    file.write_text(json.dumps({"api_token": api_token, "tokens": tokens} | own))
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
    assert wait(lambda: all(has_etcd(one) for one in stay), 60)  # they may have to elect first
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
    assert has_etcd(new)


def has_etcd(machine):
    """Whether etcd answers there, which takes most of its members."""
    line = f"etcdctl --endpoints=http://{machine.address}:2379 endpoint health 2>&1 || true"
    return "is healthy" in machine.run(line, types=False)


CLIENTS = "SELECT count(*) FROM grant_management_client"


def test_a_restore_to_a_moment(operator):
    """A bad DELETE is undone, on all three."""
    first, *others = operator.all
    primary = keep_log(operator)
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
    assert sql(first, "SHOW archive_mode") == "on"
    history = operator.shared / "log" / f"{timeline(first):08X}.history"
    assert wait(history.exists, 60)  # or no later restore leads past this moment
    operator.each(block("start grant-management\n", without="patroni"))


def keep_log(operator, change=lambda text: text):
    """Turn the archive on, and make a copy. The primary afterwards."""
    operator.on(operator.primary(), block("archive_mode:"))
    primary = operator.primary()
    assert wait(lambda: sql(primary, "SHOW archive_mode") == "on", 60)
    operator.on(operator.all[0], change(block("pg_basebackup")))
    return primary


def timeline(machine):
    """How many times a standby or a restore became the primary, and 1."""
    return int(sql(machine, "SELECT timeline_id FROM pg_control_checkpoint()"))


def install_newer(machine):
    """The PostgreSQL that the tests have, as Debian's packages have theirs."""
    programs = postgresql().parent
    target = machine.root / "usr/lib/postgresql/18"
    shutil.copytree(programs, target, symlinks=True)
    libraries = programs.parent.with_suffix(".libs")  # the programs look for it three folders above
    shutil.copytree(libraries, target.parents[1] / libraries.name)


def test_another_major_version(operator):
    """From Debian's 15 to the 18 that the tests have."""
    first, *others = operator.all
    for machine in operator.all:
        install_newer(machine)
    before = sql(first, CLIENTS)
    assert int(before)

    def newer(*words):
        return block(*words).replace("/postgresql/17/", "/postgresql/18/")

    operator.each(block("systemctl stop grant-management\n"))
    # Debian's 15 is of a later round than this 18, whose pg_dump hands its `pg_attver` on.
    operator.on(first, block("bin/pg_dump").replace("/postgresql/17/", "/postgresql/15/"))
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
    operator.on(first, block("/var/backups/cluster/15\n"))
    keep_log(operator, lambda text: text.replace("/postgresql/15/", "/postgresql/18/"))
    operator.each(block("enable --now grant-management"))
