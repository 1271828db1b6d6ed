"""A trial on machines that were installed by hand: the primary is killed under load.

Run in the network of one machine: `python -m tests.cluster.survival WORLD CREDENTIALS PID…`. It
prints a row of the trial, and ends with 1 where a promise was broken.
"""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from chaos.load import Target
from cluster.daemons import wait
from cluster.layout import LOOPBACK, Member
from cluster.node import asked
from cluster.trials import report, trial
from cluster.trials.faults import Fault
from cluster.trials.place import SERVICE, TIMEOUT, Place

HOST = "gm.example.com"
"""`NAME` of the page: a server answers to no other."""
MEMBERS = [Member(f"node{n}", f"10.0.0.1{n}", 5432, 8008) for n in (1, 2, 3)]


class Installed(Place):
    """The server of this machine, on a cluster of three."""

    def __init__(self, credentials):
        self._api_token, self._tokens = credentials["api_token"], credentials["tokens"]
        self._superuser, self._log = credentials["superuser"], Path(credentials["log"])
        self.path, self.cluster = "machines", None

    @property
    def ports(self):
        """The port of the server."""
        return [8000]

    def target(self):
        """The server and credentials for the load."""
        return Target(self.ports, SERVICE, self._api_token, self._tokens, TIMEOUT, HOST)

    def settle(self, seconds):
        """Wait until the cluster has a primary with two standbys, and the server works."""
        return wait(lambda: self._is_whole() and self.works(), seconds)

    def rows(self, sql, *parameters):
        """The rows of a statement at the primary."""
        import psycopg

        url = f"postgresql://postgres:{self._superuser}@{LOOPBACK}:5000/grant-management"
        with contextlib.closing(psycopg.connect(url, autocommit=True)) as connection:
            return connection.execute(sql.replace("?", "%s"), parameters).fetchall()

    def log(self):
        """What the server of this machine logged."""
        return self._log.read_text(errors="replace")

    @staticmethod
    def _is_whole():
        told = [asked(member, "patroni") for member in MEMBERS]
        primary = [one for one in told if one.get("role") == "primary"]
        streams = [one for each in primary for one in each.get("replication") or []]
        return [one["state"] for one in streams] == ["streaming"] * 2


class Killed(Fault):
    """SIGKILL for PostgreSQL of the primary."""

    name = "primary killed"

    def __init__(self, pids):
        self._pids = pids

    def inject(self, cluster):
        """Kill it."""
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def main(credentials, pids):
    """Run the trial."""
    row = trial.run(Installed(credentials), Killed(pids), timed=False)
    print(report.HEAD, report.line(row), *report.grouped(row), sep="\n")
    return int(bool(row.findings) or row.calls < 100)


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text()), [int(one) for one in sys.argv[2:]]))
