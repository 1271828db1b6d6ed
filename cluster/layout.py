"""What a cluster consists of: its folder, addresses, ports and passwords. Kept as a JSON file."""

import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from chaos.processes import ROOT

from .network import MEMBER_HOSTS, ROOT_HOST

FOLDER: Final = ROOT / ".cluster"
"""Of the cluster that `run.py cluster up` makes."""
FILE, ENVIRONMENT = "cluster.json", "environment"
LOOPBACK: Final = "127.0.0.1"
NAME: Final = "grant-management"
"""The application's role and its database."""


@dataclass(frozen=True)
class Member:
    """A node: Patroni and its PostgreSQL."""

    name: str
    host: str
    port: int
    api_port: int

    @property
    def address(self) -> str:
        """Host and port of its PostgreSQL."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Layout:
    """A cluster. `apart`: each node has a network namespace of its own."""

    folder: str
    apart: bool
    members: list[Member]
    ports: dict[str, int]
    passwords: dict[str, str]
    servers: list[int] = field(default_factory=list)

    @classmethod
    def new(cls, folder: Path, *, apart: bool) -> "Layout":
        """A cluster with free ports and new passwords."""
        ports = list(_free_ports(6 + len(_PORTS) + 2))
        hosts = MEMBER_HOSTS if apart else [LOOPBACK] * 3
        members = [
            Member(f"node{number + 1}", host, ports.pop(), ports.pop())
            for number, host in enumerate(hosts)
        ]
        named = {name: ports.pop() for name in _PORTS}
        passwords = {name: secrets.token_urlsafe(24) for name in _PASSWORDS}
        return cls(str(folder), apart, members, named, passwords, ports)

    @classmethod
    def load(cls, folder: Path) -> "Layout | None":
        """The cluster in that folder; None: there is none."""
        try:
            kept = json.loads((folder / FILE).read_text())
        except FileNotFoundError:
            return None
        return cls(**kept | {"members": [Member(**one) for one in kept["members"]]})

    def save(self) -> None:
        """Write it into its folder, and the environment of a server beside it."""
        url = f"DATABASE_URL={self.url('pgbouncer')}\nDATABASE_TIMEOUTS=off\n"
        for name, text in ((FILE, json.dumps(asdict(self))), (ENVIRONMENT, url)):
            (self.path / name).touch(mode=0o600)
            (self.path / name).write_text(text)

    @property
    def path(self) -> Path:
        """Its folder."""
        return Path(self.folder)

    @property
    def host(self) -> str:
        """The address of what is no node: etcd."""
        return ROOT_HOST if self.apart else LOOPBACK

    def data(self, member: Member) -> Path:
        """The folder of a node's data."""
        return self.path / member.name / "data"

    def url(self, path: str, last: Member | None = None) -> str:
        """The `DATABASE_URL` of a path to the primary: pgbouncer, haproxy, or hosts (libpq's own
        choice among several, of which `last` is asked last).
        """
        user = f"postgresql://{NAME}:{self.passwords['application']}"
        if path == "hosts":
            members = sorted(self.members, key=lambda member: member == last)
            both = {
                "host": ",".join(member.host for member in members),
                "port": ",".join(str(member.port) for member in members),
                "target_session_attrs": "read-write",
            }
            return f"{user}@/{NAME}?{urlencode(both)}"
        port = self.ports["pgbouncer" if path == "pgbouncer" else "primary"]
        return f"{user}@{LOOPBACK}:{port}/{NAME}"

    def superuser(self, member: Member | None = None, *, database: str = "postgres") -> str:
        """The URL of the superuser, at a node or (None) at the primary."""
        address = member.address if member else f"{LOOPBACK}:{self.ports['primary']}"
        return f"postgresql://postgres:{self.passwords['superuser']}@{address}/{database}"


_PORTS: Final = ("etcd", "etcd_peer", "primary", "standbys", "pgbouncer")
_PASSWORDS: Final = ("superuser", "replication", "application", "api")


def _free_ports(number: int) -> Iterator[int]:
    """Ports that nobody listens on, all different."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        yield from [probe.getsockname()[1] for probe in probes]
