"""The place of the trials: a cluster, with servers on one of the paths to its primary."""

import contextlib
import json
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from chaos.load import HANDS, Target
from chaos.place import SERVICE, world
from chaos.processes import run_command
from chaos.wire import Answer, Caller

from .. import network
from ..cluster import Cluster
from ..daemons import wait
from ..layout import NAME, Layout

TIMEOUT: Final = 9.0
"""Seconds that a call waits: longer than a server waits for its database."""
Call = Callable[[], Answer]


class Place:
    """A cluster that runs; `stack` ends it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.cluster = Cluster(Layout.new(folder, apart=not network.why_not()))
        stack.callback(self.cluster.end)
        self.cluster.start()
        self.path = ""
        hands = [f"hand-{number}" for number in range(HANDS)]
        self._api_token = secrets.token_urlsafe(32)
        self._tokens = {client: secrets.token_urlsafe(32) for client in (*hands, "probe")}

    @property
    def ports(self) -> list[int]:
        """The ports of the servers."""
        return self.cluster.layout.servers

    def take(self, path: str) -> None:
        """Start the servers anew on another path."""
        self.cluster.stop_servers()
        self.cluster.start_servers(path)
        if not self.path:
            self._seed()
        self.path = path

    def target(self) -> Target:
        """The servers and credentials for the load."""
        return Target(self.ports, SERVICE, self._api_token, self._tokens, TIMEOUT)

    def credentials(self) -> list[str]:
        """What no log may have."""
        return [self._api_token, *self._tokens.values()]

    def reads(self, port: int) -> tuple[Caller, Call]:
        """A bearer QUERY to a server, which writes nothing."""
        caller = self.target().caller(port)
        query = {"gmAction": "QUERY", "grantId": "probe", "accessToken": self._tokens["probe"]}
        return caller, lambda: caller.post(f"/api/{SERVICE}/auth/gm", query)

    def writes(self, port: int) -> tuple[Caller, Call]:
        """A write to a server: the probe's client gets another name."""
        caller = self.target().caller(port)

        def write() -> Answer:
            client = {"clientIdentifier": "probe", "name": secrets.token_hex(4)}
            return caller.post(f"/api/{SERVICE}/clients", client)

        return caller, write

    def works(self) -> bool:
        """Whether each server reads and writes."""
        return all(self._is_done(kind(port)) for port in self.ports for kind in self._kinds)

    @property
    def _kinds(self) -> tuple[Callable[[int], tuple[Caller, Call]], ...]:
        return self.reads, self.writes

    def settle(self, seconds: float) -> bool:
        """Wait until the cluster is whole and the servers work; whether they came to, in time."""
        return wait(lambda: self.cluster.is_whole() and self.works(), seconds)

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement at the primary; `?` stands for a parameter."""
        import psycopg

        url = self.cluster.layout.superuser(database=NAME)
        with contextlib.closing(psycopg.connect(url, autocommit=True)) as connection:
            return connection.execute(sql.replace("?", "%s"), parameters).fetchall()

    def log(self) -> str:
        """What the servers logged."""
        return "".join(server.log.read_text(errors="replace") for server in self.cluster.servers)

    def _seed(self) -> None:
        file = self.folder / "world.jsonl"
        records = world(self._api_token, self._tokens)
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
        code, said = run_command(self.cluster.layout.url("haproxy"), "import_grants", str(file))
        if code:
            raise RuntimeError(f"the import ended with {code}: {said[-2000:]}")

    @staticmethod
    def _is_done(probe: tuple[Caller, Call]) -> bool:
        caller, call = probe
        with contextlib.closing(caller):
            return call().done
