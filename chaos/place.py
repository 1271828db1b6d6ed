"""The place of a run: a database, two servers on it, and the credentials to call them."""

import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .bystander import Bystander
from .databases import Database, start
from .load import HANDS, SCOPES, Target
from .processes import Server, run_command
from .proofs import ENDPOINT
from .wire import Caller

SERVICE = 1001
PROBE_PATIENCE = 2.0
"""Seconds that a probe waits for its answer."""
Record = dict[str, Any]


class Place:
    """A database and two servers, running; `stack` ends them."""

    def __init__(self, name: str, folder: Path, stack: ExitStack, *, timeout: float) -> None:
        self.folder = folder
        self.database: Database = start(name, folder, stack)
        self._api_token = secrets.token_urlsafe(32)
        self._tokens = {client: secrets.token_urlsafe(32) for client in (*_HANDS, "probe")}
        self.command("migrate", "-v", "0")
        self.load_records("world", world(self._api_token, self._tokens))
        self._log, self._logged = folder / "servers.log", 0
        before = self.database.before_servers
        # One server has two workers, so that a fault can kill one of them.
        self.servers = [
            Server("one", self.database.url, self._log, workers=2, before=before),
            Server("two", self.database.url, self._log, workers=1, before=before),
        ]
        for server in self.servers:
            stack.callback(server.stop)
            server.start()
        self._timeout = timeout

    def target(self) -> Target:
        """The servers and credentials for the load."""
        ports = [server.port for server in self.servers]
        return Target(ports, SERVICE, self._api_token, self._tokens, self._timeout)

    def bystander(self, *, asks_database: bool) -> Bystander:
        """A caller of the second server, which no fault kills: a QUERY, or `/livez`."""
        port = self.servers[1].port
        if not asks_database:
            return Bystander(port, "/livez", {}, "")
        query = {"gmAction": "QUERY", "grantId": "probe", "accessToken": self._tokens["probe"]}
        headers = {
            "Authorization": f"Bearer {self._api_token}",
            "Content-Type": "application/json",
        }
        return Bystander(port, f"/api/{SERVICE}/auth/gm", headers, json.dumps(query))

    def command(self, *arguments: str, **changes: str) -> str:
        """The output of `manage.py …`; `changes` are environment variables. RuntimeError: it
        failed.
        """
        code, said = run_command(self.database.url, *arguments, **changes)
        if code:
            raise RuntimeError(f"{' '.join(arguments)} ended with {code}: {said[-2000:]}")
        return said

    def write_records(self, name: str, records: Iterable[Record]) -> Path:
        """Write a file of the interchange format."""
        path = self.folder / f"{name}.jsonl"
        with path.open("w") as stream:
            stream.writelines(json.dumps(record) + "\n" for record in records)
        return path

    def load_records(self, name: str, records: Iterable[Record]) -> None:
        """Import the records."""
        self.command("import_grants", str(self.write_records(name, records)))

    def recover(self, limit: float) -> float | None:
        """Seconds until each server reads and writes again; None: not within the limit.

        A server that is dead is started again, as a service manager does it.
        """
        began = time.monotonic()
        waiting = list(self.servers)
        while waiting and time.monotonic() - began < limit:
            for server in waiting:
                server.revive()
            waiting = [server for server in waiting if not self._works(server)]
            if waiting:
                time.sleep(0.05)
        return None if waiting else time.monotonic() - began

    def new_log(self) -> str:
        """What the servers logged since the last call of this method."""
        with self._log.open(errors="replace") as stream:
            stream.seek(self._logged)
            text = stream.read()
            self._logged = stream.tell()
        return text

    def restart(self) -> None:
        """Restart both servers."""
        for server in self.servers:
            server.restart()

    def wait(self, condition: Callable[[], bool], seconds: float = 60.0) -> bool:
        """Wait for a condition; whether it came true in time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if condition():
                return True
            time.sleep(0.005)
        return False

    def _works(self, server: Server) -> bool:
        caller = Caller(server.port, self._api_token, PROBE_PATIENCE)
        token = self._tokens["probe"]
        query = {"gmAction": "QUERY", "grantId": "probe", "accessToken": token}
        client = {"clientIdentifier": "probe", "name": secrets.token_hex(4)}
        with contextlib.closing(caller):
            read = caller.post(f"/api/{SERVICE}/auth/gm", query)
            return read.done and caller.post(f"/api/{SERVICE}/clients", client).done


_HANDS = [f"hand-{number}" for number in range(HANDS)]


def world(api_token: str, tokens: dict[str, str]) -> list[Record]:
    """A service, a client for each hand with an access token of its own, and the grant that probes
    query.
    """
    own = {"service": SERVICE, "scopes": SCOPES.split()}
    named = {"organization": 1, "name": "Retail", "grant_management_endpoint": ENDPOINT}
    return [
        {"type": "organization", "id": 1, "name": "Example Bank"},
        {"type": "service", "id": SERVICE, **named},
        {"type": "api_token", "kind": "service", "service": SERVICE, "token": api_token},
        *({"type": "client", "service": SERVICE, "client_id": client} for client in tokens),
        grant("probe", "probe"),
        *(
            {"type": "access_token", "client_id": client, "token": token, **own}
            for client, token in tokens.items()
        ),
    ]


def grant(client: str, grant_id: str, subject: str | None = None) -> Record:
    """The record of a grant to import."""
    record = {"type": "grant", "service": SERVICE, "client_id": client, "grant_id": grant_id}
    return record | {"scopes": [{"scope": "openid"}]} | ({"subject": subject} if subject else {})


def access_token(client: str, token: str, **members: Any) -> Record:
    """The record of an access token to import."""
    own = {"service": SERVICE, "client_id": client, "token": token, "scopes": SCOPES.split()}
    return {"type": "access_token", **own, **members}


def client_record(client: str) -> Record:
    """The record of a client to import."""
    return {"type": "client", "service": SERVICE, "client_id": client}
