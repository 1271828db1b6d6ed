"""A cluster that runs: etcd, the nodes, HAProxy, PgBouncer and the servers of the project."""

import json
import secrets
import socket
import sys
import urllib.error
import urllib.request
from typing import Any, Final

from chaos.processes import run_command

from . import files, network
from .daemons import Daemon, wait
from .layout import LOOPBACK, NAME, Layout, Member
from .node import Node
from .programs import found, give_away

COME_UP: Final = 180.0
"""Seconds that a part of the cluster has to start: on a busy machine it takes minutes."""
ROLE: Final = (
    "CREATE ROLE \"{name}\" LOGIN PASSWORD '{password}'",
    'CREATE DATABASE "{name}" OWNER "{name}"',
    "ALTER ROLE \"{name}\" SET statement_timeout = '5s'",
    "ALTER ROLE \"{name}\" SET lock_timeout = '2s'",
    "ALTER ROLE \"{name}\" SET idle_in_transaction_session_timeout = '10s'",
)
"""The role and the database of the application: docs/how-to/cluster.md has the same."""


class Cluster:
    """The parts of a cluster."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.synchronous = True
        self.nodes = [Node(layout, member) for member in layout.members]
        self.etcd, self.haproxy, self.pgbouncer = (
            Daemon(layout.path, name) for name in ("etcd", "haproxy", "pgbouncer")
        )
        self.servers = [Daemon(layout.path, f"server{port}") for port in layout.servers]

    def start(self) -> None:
        """Start everything but the servers, in an empty folder. RuntimeError: a part did not come.

        The application's database is there afterwards, and not migrated.
        """
        for folder in ("logs", "run", "etcd"):
            (self.layout.path / folder).mkdir(mode=0o700)
            give_away(self.layout.path / folder)
        files.write_all(self.layout)
        self.layout.save()
        if self.layout.apart:
            network.make()
        self.start_etcd()
        for node in self.nodes:
            node.start()
        self.start_haproxy()
        self.start_pgbouncer()
        self._make_role()

    def start_etcd(self) -> None:
        """Start etcd, and wait for it."""
        self.etcd.start([found("etcd"), "--config-file", str(self.layout.path / "etcd.yaml")])
        self._listens(self.layout.host, self.layout.ports["etcd"])

    def start_haproxy(self) -> None:
        """Start HAProxy, and wait for it."""
        self.haproxy.start([found("haproxy"), "-db", "-f", str(self.layout.path / "haproxy.cfg")])
        self._listens(LOOPBACK, self.layout.ports["primary"])

    def start_pgbouncer(self) -> None:
        """Start PgBouncer, and wait for it."""
        self.pgbouncer.start([found("pgbouncer"), "-q", str(self.layout.path / "pgbouncer.ini")])
        self._listens(LOOPBACK, self.layout.ports["pgbouncer"])

    def start_servers(self, path: str) -> None:
        """Migrate the database, then start the servers on that path to it (`Layout.url`).

        Of several hosts the primary is the last, so that whichever replaces it is asked before it;
        one server then leaves a primary that acknowledges nothing, and the other waits for ever.
        """
        code, said = run_command(self.layout.url("haproxy"), "migrate", "-v", "0")
        if code:
            raise RuntimeError(f"migrate ended with {code}: {said[-2000:]}")
        key = secrets.token_urlsafe(50)
        url = self.layout.url(path, self.primary().member)
        urls = [url, f"{url}&answer_timeout=none" if path == "hosts" else url]
        settings = {"DATABASE_TIMEOUTS": "off"} if path == "pgbouncer" else {}
        for server, port, own in zip(self.servers, self.layout.servers, urls, strict=True):
            line = [sys.executable, "-m", "gm_project.serving", LOOPBACK, str(port), "2"]
            server.start(line, DATABASE_URL=own, SECRET_KEY=key, **settings)
        for port in self.layout.servers:
            self._listens(LOOPBACK, port)

    def stop_servers(self) -> None:
        """End the servers."""
        for server in self.servers:
            server.stop(12)

    def end(self) -> None:
        """Kill everything: the data is deleted afterwards."""
        for node in self.nodes:
            node.kill()
        for daemon in (*self.servers, self.pgbouncer, self.haproxy, self.etcd):
            daemon.kill()
        if self.layout.apart:
            network.remove()

    def primary(self, seconds: float = COME_UP) -> Node:
        """The node that is the primary. RuntimeError: there was none in that time."""
        seen: list[Node] = []

        def is_there() -> bool:
            seen[:] = [node for node in self.nodes if node.role == "primary"]
            return len(seen) == 1

        if not wait(is_there, seconds):
            raise RuntimeError(f"there is no primary; the logs are in {self.layout.path / 'logs'}")
        return seen[0]

    def standbys(self) -> list[Node]:
        """The nodes that are no primary."""
        primary = self.primary()
        return [node for node in self.nodes if node is not primary]

    def is_whole(self) -> bool:
        """Whether each other node streams from the primary, one of them synchronously (or none,
        where that was switched off).
        """
        for node in self.nodes:
            if (told := node.status()) and told.get("role") == "primary":
                streams = told.get("replication") or []
                states = [one["sync_state"] for one in streams if one["state"] == "streaming"]
                are_as_told = (set(states) != {"async"}) is self.synchronous
                return len(states) == len(self.nodes) - 1 and are_as_told
        return False

    def wait_whole(self, seconds: float = COME_UP) -> None:
        """Wait until it is whole. RuntimeError: it did not become so."""
        if not wait(self.is_whole, seconds):
            told = {node.member.name: node.status() for node in self.nodes}
            raise RuntimeError(f"the cluster did not become whole: {told}")

    def switch_over(self) -> None:
        """Make another node the primary, as an operator does. RuntimeError: Patroni refused."""
        leader = self.primary().member
        self._tell(leader, "switchover", {"leader": leader.name})

    def configure(self, **changes: bool) -> None:
        """Change what Patroni keeps in etcd. A node knows it in its next round, a second later."""
        self._tell(self.primary().member, "config", changes, "PATCH")
        self.synchronous = changes.get("synchronous_mode", self.synchronous)

    def _tell(self, member: Member, path: str, value: Any, method: str = "POST") -> None:
        """Send something to Patroni's API. RuntimeError: it refused, or did not answer."""
        url = f"http://{member.host}:{member.api_port}/{path}"
        opener = urllib.request.build_opener(
            urllib.request.HTTPBasicAuthHandler(_passwords(url, self.layout.passwords["api"]))
        )
        request = urllib.request.Request(url, json.dumps(value).encode(), method=method)
        try:
            with opener.open(request, timeout=60) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(500).decode(errors="replace").strip()
            raise RuntimeError(f"Patroni refused: {path}, {error.code}, {said}") from None
        except OSError as error:
            raise RuntimeError(f"Patroni did not answer: {path}, {error}") from None

    def _make_role(self) -> None:
        import psycopg

        self.wait_whole()
        values = {"name": NAME, "password": self.layout.passwords["application"]}
        with psycopg.connect(self.layout.superuser(), autocommit=True) as connection:
            for statement in ROLE:
                connection.execute(statement.format(**values))

    def _listens(self, host: str, port: int) -> None:
        if not wait(lambda: _answers(host, port), COME_UP):
            raise RuntimeError(
                f"nothing listens on {host}:{port}; the logs are in {self.layout.path / 'logs'}"
            )


def _passwords(url: str, password: str) -> urllib.request.HTTPPasswordMgr:
    known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    known.add_password(None, url, "patroni", password)
    return known


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 1).close()
    except OSError:
        return False
    return True
