"""The load: hands, which create, use and revoke grants, and watchers, which query any grant.

A grant belongs to one hand, so that its writes have an order; where two calls should collide, the
hand sends both at once. A grant with a write of unknown outcome is left alone until the fault is
over. Then writes with an idempotency key, and REVOKEs, are sent again (`settle`).
"""

import random
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .model import (
    CREATED,
    DOUBLED,
    LOST,
    MERGED,
    REPLACED,
    REVOKED,
    WRONG,
    Accepted,
    Grant,
    Model,
    Sure,
    Token,
    Write,
)
from .proofs import OLDEST, TOKEN_ENDPOINT, Key
from .wire import BUG, Answer, Caller

HANDS, WATCHERS = 4, 2
POOL = 4
"""Live grants that each hand keeps."""
PROVOKED = ("A281308", "A280302", "A280303", "A283301", "A291301")
"""Refusals that the load provokes: replays, dead tokens and grants, reused refresh tokens."""
PAUSE, PAUSE_AFTER_FAILURE = 0.01, 0.1
"""Seconds between two actions of a hand or a watcher."""
REPLAYED, DEAD_REFRESH_TOKEN = "A281308", "A291301"
GONE = ("A280303", "A283301")
"""The codes of a REVOKE of a grant that is revoked already."""
SHOWN_AGAIN, MARGIN = 400, 10.0
"""How many proofs are shown again after the recovery, the oldest, which are from before the fault;
and the seconds until the first of them is sent.
"""
AGAIN = "a DPoP proof that was accepted was accepted again after the recovery"
SCOPES = "grant_management_query grant_management_revoke"


@dataclass
class Target:
    """The servers, by their ports, and what it takes to call them.

    `may_refuse` gives the codes with which live tokens may be refused at present. `before_replay`
    and `garble` are hooks for mutations.
    """

    ports: list[int]
    service: int
    api_token: str
    client_tokens: dict[str, str]
    timeout: float = 5.0
    host: str = ""
    may_refuse: Callable[[], frozenset[str]] = frozenset
    before_replay: Callable[[], None] = lambda: None
    garble: Callable[[Answer], Answer] = lambda answer: answer

    def caller(self, port: int) -> Caller:
        """A connection to one of the servers."""
        return Caller(port, self.api_token, self.timeout, self.host)


@dataclass
class Calls:
    """The calls of one thread, counted and checked."""

    target: Target
    model: Model
    callers: dict[int, Caller] = field(default_factory=dict)

    def post(
        self, port: int, path: str, members: dict, *, key: str = "", victim: str = ""
    ) -> Answer:
        """The answer to a POST. Where it breaks the contract, that is a finding about `victim`.

        `key` is the Idempotency-Key; "": none.
        """
        where = f"/api/{self.target.service}/{path}"
        answer = self._caller(port).post(where, members, key=key)
        return self._noted(self.target.garble(answer), path, victim)

    def introspect(self, port: int, token: str) -> Answer:
        """The answer of introspection (RFC 7662) about a token of either kind."""
        answer = self._caller(port).form(f"/api/{self.target.service}/introspect", f"token={token}")
        return self._noted(answer, "introspect", "")

    def close(self) -> None:
        """Close the connections."""
        for caller in self.callers.values():
            caller.close()

    def _caller(self, port: int) -> Caller:
        if port not in self.callers:
            self.callers[port] = self.target.caller(port)
        return self.callers[port]

    def _noted(self, answer: Answer, path: str, victim: str) -> Answer:
        self.model.count("" if answer.done else answer.code, answer.seconds)
        if answer.malformed:
            self.model.find(WRONG, f"an answer was not of the contract: {answer.problem}", victim)
        if answer.code == BUG:
            kind = path.rpartition("/")[2]
            self.model.find(WRONG, f"{kind} failed with {BUG}, the code of a bug", victim)
        return answer


def query(calls: Calls, port: int, grant: Grant, token: Token, proof: str = "") -> Answer:
    """Send a QUERY; a finding where a dead token or grant is answered OK, or a live one refused."""
    dead, lived = grant.dead or token.dead, grant.lives and token.lives
    members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token.value}
    answer = calls.post(
        port, "auth/gm", members | ({"dpop": proof} if proof else {}), victim=grant.name
    )
    if dead and answer.done:
        sentence = "a QUERY that began after an acknowledged revoke was answered OK"
        calls.model.find(LOST, sentence, grant.name)
    if answer.refused and answer.body and lived and grant.lives and token.lives:
        _look_at_refusal(calls, answer, "QUERY", grant)
    return answer


def _look_at_refusal(calls: Calls, answer: Answer, what: str, grant: Grant) -> None:
    if answer.code not in {*calls.target.may_refuse(), REPLAYED, "A001207"}:
        sentence = f"{what} with a live token of a live grant was refused with {answer.code}"
        calls.model.find(WRONG, sentence, grant.name)


class Hand:
    """Creates grants, uses them and revokes them."""

    def __init__(self, number: int, client: str, calls: Calls) -> None:
        self.calls, self.model, self.client = calls, calls.model, client
        self.random = random.Random(number)
        self.grants: list[Grant] = []
        self.open: list[Grant] = []
        self.dead: list[tuple[Grant, Token]] = []
        self.failed = False
        self._beside = ThreadPoolExecutor(1)
        self._calls_beside = Calls(calls.target, calls.model)

    def run(self, stop: threading.Event) -> None:
        """Do one action after the other, until told to stop."""
        while not stop.is_set():
            self.act()
            time.sleep(PAUSE_AFTER_FAILURE if self.failed else PAUSE)
            self.failed = False
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._beside.shutdown()
        self.calls.close()
        self._calls_beside.close()

    def act(self) -> None:
        """One action of the mix; with too few live grants, create one or query an open one."""
        self.open += [one for one in self.grants if one.is_open]
        self.grants = [one for one in self.grants if not one.is_open and one.lives]
        if len(self.grants) < POOL:
            if self.open and self.random.random() < 0.7:
                self.read(self.random.choice(self.open))
            else:
                self.create()
            return
        names, weights = zip(*_MIX.items(), strict=True)
        action = self.random.choices(names, weights)[0]
        getattr(self, action)(self.random.choice(self.grants))

    def create(self) -> None:
        """Create a grant, and issue its first tokens."""
        grant = self.model.new_grant(self.client)
        scopes = frozenset({"openid", SCOPES.split()[0]})
        body = {
            "clientIdentifier": grant.client,
            "subject": grant.subject,
            "scopes": [{"scope": " ".join(sorted(scopes))}],
        }

        def learn(answer: dict) -> None:
            grant.grant_id = answer["grantId"]

        self.write(grant, Write(CREATED, "grants", body, scopes, self._key(), learn=learn))
        if grant.grant_id and not grant.is_open:
            self.issue(grant, Key() if self.random.random() < 0.4 else None)
            self.grants.append(grant)

    def issue(self, grant: Grant, key: Key | None = None) -> None:
        """Issue tokens, whose values are made here or by the server."""
        body = {
            "grantType": "AUTHORIZATION_CODE",
            "clientIdentifier": grant.client,
            "subject": grant.subject,
            "scopes": SCOPES.split(),
            "grantId": grant.grant_id,
        }
        body |= {"dpopKeyThumbprint": key.thumbprint} if key else {}
        own = self.random.random() < 0.5
        values = {"accessToken": secrets.token_urlsafe(32), "refreshToken": secrets.token_urlsafe()}
        write = Write(
            "issued", "auth/token/create", body | (values if own else {}), key=self._key()
        )

        def learn(answer: dict) -> None:
            if not own:
                _add_tokens(grant, write, answer, key)

        write.learn = learn
        if own:
            _add_tokens(grant, write, values, key)
        self.write(grant, write)

    def more_tokens(self, grant: Grant) -> None:
        """Issue more tokens for a grant that has some."""
        self.issue(grant)

    def read(self, grant: Grant) -> None:
        """Send a QUERY.

        With a token that is bound to a key, send the same DPoP proof twice, one after the other or
        at once: only one may be accepted.
        """
        token = grant.usable()
        if token is None:
            return None if grant.is_open else self.issue(grant)
        if token.key is None:
            return self._took(query(self.calls, self._port(), grant, token))
        made, proof = time.monotonic(), token.key.proof(grant.grant_id, token.value)
        one, two = self._ports()
        if self.random.random() < 0.3:
            answers = self._at_once(
                lambda calls: query(calls, one, grant, token, proof),
                lambda calls: query(calls, two, grant, token, proof),
            )
        else:
            first = query(self.calls, one, grant, token, proof)
            self.calls.target.before_replay()
            answers = first, query(self.calls, two, grant, token, proof)
        self._look_at_replay(grant, answers)
        if any(answer.done for answer in answers):
            self.model.accepted.append(Accepted(grant, token, proof, made))
        return None

    def introspect(self, grant: Grant) -> None:
        """Introspect a bearer token at the endpoint in Authlete's style."""
        token = grant.usable()
        if token is None or token.key is not None:
            return
        answer = self.calls.post(self._port(), "auth/introspection", {"token": token.value})
        if answer.refused and answer.body and grant.lives and token.lives:
            _look_at_refusal(self.calls, answer, "introspection", grant)
        self._took(answer)

    def ask_of_dead(self, _grant: Grant) -> None:
        """QUERY a grant, or with a token, whose end was acknowledged."""
        if self.dead:
            grant, token = self.random.choice(self.dead)
            self._took(query(self.calls, self._port(), grant, token))

    def merge(self, grant: Grant) -> None:
        """Merge one more scope into the grant."""
        self._change(grant, MERGED, "merge")

    def replace(self, grant: Grant) -> None:
        """Replace all scopes by another one; then issue new tokens."""
        self._change(grant, REPLACED, "replace")
        if not grant.is_open:
            self.issue(grant)

    def refresh(self, grant: Grant) -> None:
        """Exchange a refresh token for new tokens."""
        old = grant.usable(refresh=True)
        if old is not None:
            write = self._refresh(grant, old)
            self.write(grant, write)

    def refresh_twice(self, grant: Grant) -> None:
        """Send the same refresh token to both servers at once.

        One request may win; the other is a reuse, which kills the family.
        """
        old = grant.usable(refresh=True)
        if old is None:
            return
        write, body = self._refresh(grant, old, key=""), None
        grant.add(write)
        killers = Write("reused", "", {})
        family = [one for one in grant.tokens if one.refresh]
        for token in family:
            token.killers.append(killers)
        bodies = [write.body, self._refresh(grant, old, key="", known=True).body]
        one, two = self._ports()
        answers = self._at_once(
            lambda calls: calls.post(one, write.path, bodies[0], victim=grant.name),
            lambda calls: calls.post(two, write.path, bodies[1], victim=grant.name),
        )
        body = self._winner(answers, write, "a refresh token was accepted twice", grant)
        if body is not None:
            write.learn(body)
            for token in grant.tokens[-2:]:
                if token.refresh and token not in family:
                    token.killers.append(killers)
        refused = [answer.code == DEAD_REFRESH_TOKEN for answer in answers]
        killers.sure = Sure.YES if body is not None and any(refused) else Sure.MAYBE

    def revoke_tokens(self, grant: Grant) -> None:
        """Revoke one access token of the grant."""
        token = grant.usable()
        if token is None:
            return
        body = {"accessTokenIdentifier": token.value}
        write = Write("killed", "auth/token/revoke", body, key=self._key())
        token.killers.append(write)
        self.write(grant, write)
        if write.sure is Sure.YES:
            self.dead.append((grant, token))

    def revoke(self, grant: Grant) -> None:
        """Revoke a grant, by its client or by the authorization server; then QUERY each server."""
        token = grant.usable()
        if token is None or self.random.random() < 0.3:
            path = f"grants/{grant.grant_id}/revoke"
            self.write(grant, Write(REVOKED, path, {"note": "by chaos"}, key=self._key()))
        else:
            self._revoke_by_client(grant, token)
        if grant.dead:
            client_token = self.calls.target.client_tokens[grant.client]
            self.dead.append((grant, Token(client_token, grant.writes[0])))
            for port in self.calls.target.ports:
                query(self.calls, port, *self.dead[-1])

    def write(self, grant: Grant, write: Write) -> None:
        """Send a write. With a key, send it to the other server too if no outcome came."""
        if write not in grant.writes:
            grant.add(write)
        ports = self._ports()
        for port in ports if write.key else ports[:1]:
            answer = self.calls.post(port, write.path, write.body, key=write.key, victim=grant.name)
            self._took(answer)
            if take(self.calls, grant, write, answer):
                return
        self.model.unsettled.append((grant, write))

    def _change(self, grant: Grant, kind: str, name: str) -> None:
        scopes = frozenset({f"s-{secrets.token_hex(4)}"})
        body = {"scopes": [{"scope": " ".join(scopes)}]}
        path = f"grants/{grant.grant_id}/{name}"
        self.write(grant, Write(kind, path, body, scopes, self._key()))

    def _refresh(
        self, grant: Grant, old: Token, key: str | None = None, *, known: bool = False
    ) -> Write:
        body = {"refreshToken": old.value, "clientIdentifier": grant.client}
        if old.key is not None:
            body |= {"dpop": old.key.token_proof(), "htu": TOKEN_ENDPOINT, "htm": "POST"}
            key = ""  # sent again, its proof would be a replay
        write = Write("refreshed", "tokens/refresh", body, key=self._key() if key is None else key)
        write.learn = lambda answer: _add_tokens(grant, write, answer, old.key)
        if not known:
            old.killers.append(write)
        return write

    def _revoke_by_client(self, grant: Grant, token: Token) -> None:
        write = grant.add(Write(REVOKED, "auth/gm", {}))
        one, two = self._ports()

        def call(calls: Calls, port: int) -> Answer:
            members = {"gmAction": "REVOKE", "grantId": grant.grant_id, "accessToken": token.value}
            if token.key:
                members["dpop"] = token.key.proof(grant.grant_id, token.value, htm="DELETE")
            return calls.post(port, "auth/gm", members, victim=grant.name)

        if self.random.random() < 0.6:
            answer = call(self.calls, one)
            self._took(answer)
            if not take(self.calls, grant, write, answer):
                write.body = {"again": token}
                self.model.unsettled.append((grant, write))
            return
        answers = self._at_once(lambda calls: call(calls, one), lambda calls: call(calls, two))
        self._winner(answers, write, "two REVOKEs of one grant were both acknowledged", grant)

    def _winner(
        self, answers: tuple[Answer, Answer], write: Write, twice: str, grant: Grant
    ) -> dict | None:
        """The answer to the one of two simultaneous calls that was done; None: neither was.

        A finding where both were done, or where both were refused.
        """
        done = [answer for answer in answers if answer.done]
        write.sure = Sure.YES if done else Sure.MAYBE
        if len(done) == 2:
            self.model.find(DOUBLED, twice, grant.name)
        if not done and all(answer.refused and answer.body for answer in answers):
            codes = " and ".join(sorted({answer.code for answer in answers}))
            if not {answer.code for answer in answers} <= self.calls.target.may_refuse():
                self.model.find(WRONG, f"two {write.path} at once: none won ({codes})", grant.name)
        return done[0].body if done else None

    def _look_at_replay(self, grant: Grant, answers: tuple[Answer, Answer]) -> None:
        for answer in answers:
            self._took(answer)
        if all(answer.done for answer in answers):
            self.model.find(DOUBLED, "a DPoP proof was accepted twice", grant.name)
        if all(answer.code == REPLAYED for answer in answers):
            self.model.find(WRONG, "a DPoP proof was never accepted, yet used", grant.name)

    def _at_once(
        self, here: Callable[[Calls], Answer], beside: Callable[[Calls], Answer]
    ) -> tuple[Answer, Answer]:
        other = self._beside.submit(beside, self._calls_beside)
        mine = here(self.calls)
        return mine, other.result()

    def _took(self, answer: Answer) -> None:
        self.failed |= answer.failed or not answer.status

    def _key(self) -> str:
        return secrets.token_urlsafe(16) if self.random.random() < 0.6 else ""

    def _port(self) -> int:
        return self.random.choice(self.calls.target.ports)

    def _ports(self) -> list[int]:
        """Two servers in any order; where there is one only, twice that one."""
        ports = list(self.calls.target.ports)
        self.random.shuffle(ports)
        return [*ports, *ports][:2]


class Prover(Hand):
    """QUERYs a grant that nobody ends, with a new DPoP proof each time: many may be shown again."""

    def act(self) -> None:
        """Send a QUERY; before the first one create the grant, with a token that has a key."""
        token = self.grants[-1].usable() if self.grants else None
        if token is not None and token.key is not None:
            return self.read(self.grants[-1])
        self.create()
        for grant in self.grants[-1:]:
            self.issue(grant, Key())
        return None


_MIX = {
    "read": 30,
    "introspect": 6,
    "ask_of_dead": 8,
    "merge": 10,
    "replace": 5,
    "refresh": 10,
    "refresh_twice": 2,
    "more_tokens": 4,
    "revoke_tokens": 5,
    "revoke": 8,
}
"""The actions of a hand, with their weights."""


def _add_tokens(grant: Grant, write: Write, answer: dict, key: Key | None) -> None:
    """Add the tokens of an answer.

    The answer to a repeated request with the same key comes without their values.
    """
    for name in ("accessToken", "refreshToken"):
        if name in answer:
            grant.tokens.append(Token(answer[name], write, name == "refreshToken", key))


def take(calls: Calls, grant: Grant, write: Write, answer: Answer) -> bool:
    """Whether the answer settles the outcome of the write; if so, the write records it.

    A refusal does not settle it where the same request was sent before and never answered.
    """
    if answer.done:
        write.sure = Sure.YES
        write.learn(answer.body)
        return True
    if not answer.refused or write.tried:
        write.tried = True
        return False
    write.sure = Sure.NO
    if answer.body and answer.code not in {*calls.target.may_refuse(), "A001207"}:
        sentence = f"{write.path.rpartition('/')[2]} of a live grant was refused with {answer.code}"
        calls.model.find(WRONG, sentence, grant.name)
    return True


def watch(number: int, calls: Calls, stop: threading.Event) -> None:
    """QUERY recent grants of any hand, with a token of their client."""
    chance = random.Random(number)
    while not stop.is_set():
        time.sleep(PAUSE)
        known = [grant for grant in calls.model.grants[-50:] if grant.grant_id and grant.writes]
        if known:
            grant = chance.choice(known)
            token = Token(calls.target.client_tokens[grant.client], grant.writes[0])
            answer = query(calls, chance.choice(calls.target.ports), grant, token)
            if not answer.status:
                time.sleep(PAUSE_AFTER_FAILURE)
    calls.close()


def settle(calls: Calls) -> None:
    """Send writes with a key and REVOKEs again, so that few outcomes stay unknown."""
    for grant, write in calls.model.unsettled:
        for port in calls.target.ports:
            if write.key:
                answer = calls.post(port, write.path, write.body, key=write.key, victim=grant.name)
                if take(calls, grant, write, answer):
                    break
            elif "again" in write.body and _revoked_again(calls, port, grant, write):
                break


def show_again(calls: Calls) -> int:
    """Send DPoP proofs of living tokens that were accepted before the recovery, while their age
    would let them pass: none may be accepted again. How many were judged.
    """
    since = time.monotonic() - OLDEST + MARGIN
    young = [one for one in calls.model.accepted if one.made > since]
    alive = [one for one in young if one.grant.lives and one.token.lives]
    judged = 0
    for number, one in enumerate(alive[:SHOWN_AGAIN]):
        port = calls.target.ports[number % len(calls.target.ports)]
        answer = query(calls, port, one.grant, one.token, one.proof)
        judged += answer.done or answer.code == REPLAYED
        if answer.done:
            calls.model.find(DOUBLED, AGAIN, one.grant.name)
    return judged


def _revoked_again(calls: Calls, port: int, grant: Grant, write: Write) -> bool:
    """Whether the grant is certainly dead now, by the first REVOKE or by this one."""
    token = write.body["again"]
    members = {"gmAction": "REVOKE", "grantId": grant.grant_id, "accessToken": token.value}
    if token.key:
        members["dpop"] = token.key.proof(grant.grant_id, token.value, htm="DELETE")
    answer = calls.post(port, "auth/gm", members, victim=grant.name)
    if answer.done or answer.code in GONE:
        write.sure = Sure.YES
        return True
    return False
