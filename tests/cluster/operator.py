"""Whoever follows docs/how-to/cluster.md: its blocks, typed on machines."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

from cluster.daemons import wait

from ..docs.pages import blocks
from ..standalone import ROOT
from . import machines
from .machines import Machine, Network

PAGE = ROOT / "docs" / "how-to" / "cluster.md"
NAMES = ("node1", "node2", "node3")
LIST = "/opt/patroni/bin/patronictl -c /etc/patroni/patroni.yaml list --format json"
FILE = "etc/patroni/passwords"


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
        self.folder, self._stack = folder, stack
        self.shared = folder / "shared"
        self.shared.mkdir(mode=0o711)
        self.base = folder / "base"
        machines.make_base(self.base)
        stack.enter_context(Network())
        self.all = [self.machine(name, f"10.0.0.1{name[-1]}") for name in NAMES]

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


def sql(machine, statement, database="grant-management"):
    """What the primary answers, asked on a machine."""
    line = f'psql -qtA "postgresql://postgres@127.0.0.1:5000/{database}" -c "{statement}"'
    text = f"set -a; . /etc/patroni/variables; set +a; PGPASSWORD=$SUPERUSER_PASSWORD {line}"
    return machine.run(text, types=False).strip()
