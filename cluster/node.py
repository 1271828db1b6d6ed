"""A node of the cluster: Patroni and its PostgreSQL, and what can be done to them."""

import contextlib
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from chaos.processes import descendants

from . import network
from .daemons import Daemon, send_all
from .layout import Layout, Member

PATIENCE: Final = 2.0
"""Seconds that Patroni's API has to answer."""


class Node:
    """A node; its Patroni is a daemon, and PostgreSQL outlives that."""

    def __init__(self, layout: Layout, member: Member) -> None:
        self.layout, self.member = layout, member
        self.patroni = Daemon(layout.path, member.name)

    def start(self) -> None:
        """Start Patroni, which starts PostgreSQL."""
        file = self.layout.path / self.member.name / "patroni.yaml"
        within = network.inside(self.member.name) if self.layout.apart else []
        packages = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self.patroni.start([sys.executable, "-m", "patroni", str(file)], within, **packages)

    def status(self) -> dict[str, Any]:
        """What Patroni says of the node; {}: it does not answer."""
        return asked(self.member, "patroni")

    @property
    def role(self) -> str:
        """primary, replica or sync_standby; "": not known."""
        return str(self.status().get("role", ""))

    def postmaster(self) -> int | None:
        """The process ID of PostgreSQL's main process; None: it does not run."""
        try:
            lines = (self.layout.data(self.member) / "postmaster.pid").read_text().split()
        except OSError:
            return None
        return int(lines[0]) if lines and _is_postgres(int(lines[0])) else None

    def postgresql(self) -> list[int]:
        """The processes of PostgreSQL, its main process first."""
        postmaster = self.postmaster()
        return [] if postmaster is None else [postmaster, *descendants(postmaster)]

    def wal_senders(self) -> list[int]:
        """The processes that send what a primary writes, one for each standby that it has."""
        return [pid for pid in self.postgresql() if b"walsender" in _command(pid)]

    def kill_postgresql(self) -> None:
        """SIGKILL for every process of PostgreSQL; Patroni goes on."""
        send_all(self.postgresql(), signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL for Patroni and PostgreSQL: the node is gone."""
        self.patroni.send(signal.SIGSTOP)  # it starts no new PostgreSQL meanwhile
        self.kill_postgresql()
        self.patroni.kill()

    def freeze(self) -> None:
        """Stop Patroni's processes with SIGSTOP; PostgreSQL goes on."""
        if (pid := self.patroni.pid) is not None:
            database = set(self.postgresql())
            send_all(
                [pid, *(one for one in descendants(pid) if one not in database)], signal.SIGSTOP
            )

    def thaw(self) -> None:
        """Let Patroni go on."""
        if (pid := self.patroni.pid) is not None:
            send_all([pid, *descendants(pid)], signal.SIGCONT)

    def stop(self) -> None:
        """End Patroni, which ends PostgreSQL, as an operator does. Patroni that hangs is killed."""
        self.patroni.stop(20)


def asked(member: Member, path: str) -> dict[str, Any]:
    """The answer of a node's API, whatever its status; {}: there was none."""
    url = f"http://{member.host}:{member.api_port}/{path}"
    with contextlib.suppress(OSError, ValueError):
        try:
            answer = urllib.request.urlopen(url, timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            told = json.loads(answer.read())
        return told if isinstance(told, dict) else {}
    return {}


def _is_postgres(pid: int) -> bool:
    """Whether the process is one of PostgreSQL: a file may name a process that ended long ago."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().startswith("postgres")
    return False


def _command(pid: int) -> bytes:
    """The title of a process; b"": it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
