"""Faults of clocks: servers and commands whose own clock is off, by libfaketime."""

import secrets
import time
from typing import ClassVar

from .databases import POSTGRESQL, SQLITE
from .faults import Fault
from .load import SCOPES
from .model import DOUBLED, LOST, Model
from .place import SERVICE, Place, access_token, client_record, grant
from .processes import clock, run_command
from .proofs import OLDEST, Key
from .wire import Answer

OFF = 300.0
"""Seconds: more than any tolerance for a proof."""
LITTLE = 30.0
"""Seconds: so little that a proof with the right time is still accepted."""
ALIVE, DEAD = True, False


class ClockOff(Fault):
    """A server with a wrong clock. SQLite is on one machine, so there both servers have it."""

    offset: ClassVar[float]
    heal_counts, once = False, True

    def __init__(self) -> None:
        super().__init__()
        self.thorough = False
        self._tag = secrets.token_hex(4)

    def missing(self, place: Place) -> str:
        """Wrong clocks need libfaketime."""
        return "" if clock(0) else "faketime is not installed"

    def prepare(self, place: Place, *, thorough: bool) -> None:
        """Import the clients, grants and tokens of the attempts below."""
        self.thorough = thorough
        self._key, self._tokens = Key(), {}
        records = []
        for name in ("cut", "proof", "hour"):
            client = f"{name}-{self._tag}"
            self._tokens[name] = secrets.token_urlsafe(32)
            bound = {"cnf": {"jkt": self._key.thumbprint}} if name == "proof" else {}
            end = {"expires_at": int(time.time()) + 3600} if name == "hour" else {}
            token = access_token(client, self._tokens[name], grant_id=client, **bound, **end)
            records += [client_record(client), grant(client, client), token]
        place.load_records("clocks", records)

    def inject(self, place: Place, model: Model) -> None:
        """Restart servers with a wrong clock: on SQLite both, else the second one."""
        changes = clock(self.offset) or {}
        alone = place.database.name == SQLITE
        self.may_refuse = frozenset({"A281307"}) if alone else frozenset()
        for server in place.servers if alone else place.servers[1:]:
            server.restart(**changes)
        if not alone:
            self.try_commands(place, model)

    def heal(self, place: Place, model: Model) -> None:
        """Restart those servers with the right clock."""
        for server in place.servers if place.database.name == SQLITE else place.servers[1:]:
            server.restart()

    def try_commands(self, place: Place, model: Model) -> None:
        """Run commands and send proofs while the clocks differ (on PostgreSQL only)."""
        raise NotImplementedError

    def expect(self, place: Place, model: Model, token: str, alive: bool, sentence: str) -> None:
        """Add a finding with this sentence where a server contradicts `alive` about the token."""
        for server in place.servers:
            answer = self.call(place, server.port, "auth/introspection", {"token": token})
            if answer.body and not answer.failed and answer.done is not alive:
                model.find(LOST, sentence, self.name)
                return

    def call(self, place: Place, port: int, path: str, members: dict) -> Answer:
        """The answer to one call, on a connection of its own."""
        caller = place.target().caller(port)
        answer = caller.post(f"/api/{SERVICE}/{path}", members)
        caller.close()
        return answer

    def show(self, place: Place, port: int, proof: str) -> bool:
        """Whether a QUERY with that proof is answered OK."""
        grant_id, token = f"proof-{self._tag}", self._tokens["proof"]
        members = {"gmAction": "QUERY", "grantId": grant_id, "accessToken": token, "dpop": proof}
        return self.call(place, port, "auth/gm", members).done

    def proof(self, age: float) -> str:
        """A proof that was signed `age` seconds ago."""
        return self._key.proof(f"proof-{self._tag}", self._tokens["proof"], age=age)

    def cut_off(self, place: Place, model: Model, offset: float) -> None:
        """Run `set_cut_off` on a host whose clock is off by `offset` seconds."""
        arguments = ("set_cut_off", "--service", str(SERVICE), "--client", f"cut-{self._tag}")
        changes = (clock(offset) or {}) if offset else {}
        code, said = run_command(place.database.url, *arguments, **changes)
        if code:
            model.find(LOST, f"set_cut_off failed: {said.strip().splitlines()[-1]}", self.name)


class ClockBehind(ClockOff):
    """A server is five minutes behind; a host that is an hour behind sets a cut-off; a used proof
    is purged, then shown again to a server half a minute behind.
    """

    name = "clock behind"
    offset = -OFF
    in_short = ()

    def try_commands(self, place: Place, model: Model) -> None:
        """Set a cut-off; in the long form also replay a proof that a right host purged."""
        self.cut_off(place, model, -3600)
        sentence = "a cut-off set by a host an hour behind exited 0 and did not stop a token"
        self.expect(place, model, self._tokens["cut"], DEAD, sentence)
        if self.thorough:
            self._replay_after_purge(place, model)

    def _replay_after_purge(self, place: Place, model: Model) -> None:
        place.servers[1].restart(**(clock(-LITTLE) or {}))
        right, behind = (server.port for server in place.servers)
        proof = self.proof(OLDEST - 4)
        used = self.show(place, right, proof)
        time.sleep(11)  # until it is too old by more than CLOCK_TOLERANCE
        place.command("purge_expired")
        if used and self.show(place, behind, proof):
            sentence = "a used proof was accepted again by a server behind, after a purge"
            model.find(DOUBLED, sentence, self.name)
        place.servers[1].restart(**(clock(self.offset) or {}))


class ClockAhead(ClockOff):
    """A server is five minutes ahead, and a token that it issued is cut off; a host two days ahead
    runs a purge.
    """

    name = "clock ahead"
    in_short = (POSTGRESQL,)
    offset = OFF

    def try_commands(self, place: Place, model: Model) -> None:
        """Cut off a token that was issued in the future, and purge in the future."""
        self._cut_off_future(place, model)
        self._purge_future(place, model)

    def _cut_off_future(self, place: Place, model: Model) -> None:
        client = f"cut-{self._tag}"
        members = {
            "grantType": "CLIENT_CREDENTIALS",
            "clientIdentifier": client,
            "scopes": SCOPES.split(),
        }
        ahead = place.servers[1].port
        token = self.call(place, ahead, "auth/token/create", members).body.get("accessToken")
        self.cut_off(place, model, 0)
        sentence = "a token that a server ahead had issued outlived a cut-off"
        if token:
            self.expect(place, model, token, DEAD, sentence)

    def _purge_future(self, place: Place, model: Model) -> None:
        proof = self.proof(0)
        right = place.servers[0].port
        used = self.show(place, right, proof)
        changes = clock(2 * 86_400) or {}
        run_command(place.database.url, "purge_expired", **changes)
        if used and self.show(place, right, proof):
            sentence = "a used proof was accepted again, after a purge by a host ahead"
            model.find(DOUBLED, sentence, self.name)
        count = "SELECT count(*) FROM grant_management_client c JOIN grant_management_accesstoken t"
        left = place.database.rows(
            f"{count} ON t.client_id = c.id WHERE c.client_id = ?", f"hour-{self._tag}"
        )
        if not left[0][0]:
            model.find(LOST, "a purge by a host two days ahead deleted live tokens", self.name)


CLOCKS = (ClockBehind, ClockAhead)
