"""The judge: after recovery, compares the database and the servers with the model."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .databases import Database
from .load import Calls, Target
from .model import (
    CREATED,
    DOUBLED,
    EVENTS,
    LOST,
    WRONG,
    Finding,
    Grant,
    Model,
    Sure,
    Token,
)
from .wire import Answer

THREADS, TRIES = 4, 3
NOT_FOUND = "A283301"
Events = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Shown:
    """What a server says of a grant: its `status` in the store, the code of a QUERY, and the
    scopes.
    """

    status: str
    query: str
    scopes: frozenset[str]


def judge(model: Model, database: Database, target: Target) -> None:
    """Add findings to the model. The calls of the judge do not count as calls of the load."""
    asked = Model(model.name)
    seen = events_of(database, model.name)
    model.findings += judge_events(model.grants, seen)
    parts = [model.grants[start::THREADS] for start in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda part: _ask_all(part, Calls(target, asked)), parts))
    model.findings += asked.findings


def events_of(database: Database, prefix: str) -> Counter[tuple[str, str]]:
    """How many events there are, by subject (each grant has its own) and kind."""
    sql = (
        "SELECT subject, kind, count(*) FROM grant_management_grantevent"
        " WHERE subject LIKE ? GROUP BY subject, kind"
    )
    rows = database.rows(sql, f"{prefix}-%")
    return Counter({(subject, kind): number for subject, kind, number in rows})


def judge_events(grants: Iterable[Grant], seen: Events) -> list[Finding]:
    """Findings where a grant has not exactly one event for each acknowledged change.

    A change whose outcome is unknown may have one or none.
    """
    found = []
    for grant in grants:
        for kind in EVENTS:
            least, most = grant.events(kind)
            number = seen.get((grant.subject, kind), 0)
            if number < least:
                found.append(_event(LOST, f"'{kind}' was acknowledged and has no event", grant))
            if number > most:
                found.append(_event(DOUBLED, f"'{kind}' has an event too many", grant))
    return found


def judge_shown(grant: Grant, shown: Shown) -> list[Finding]:
    """Findings where a server does not show what was acknowledged of a grant."""
    if grant.dead and (shown.status != "revoked" or shown.query != NOT_FOUND):
        return [Finding(LOST, "an acknowledged revoke did not last", grant.name)]
    if not grant.lives:
        return []
    if shown.status != "active":
        return [Finding(LOST, f"a grant that nobody ended is {shown.status}", grant.name)]
    if shown.query != "A277001":
        sentence = f"a grant that lives is not shown to its client: {shown.query}"
        return [Finding(LOST, sentence, grant.name)]
    return _judge_scopes(grant, shown.scopes)


def judge_token(grant: Grant, token: Token, active: bool) -> list[Finding]:
    """Findings where a token is alive or dead, contrary to what was acknowledged."""
    kind = "a refresh token" if token.refresh else "an access token"
    if active and (token.dead or grant.dead):
        return [Finding(LOST, f"the acknowledged end of {kind} did not last", grant.name)]
    if active and token.issued.sure is Sure.NO:
        return [Finding(WRONG, f"{kind} that was refused is there", grant.name)]
    if not active and token.lives and grant.lives:
        return [
            Finding(LOST, f"{kind} that was issued, and that nobody ended, is dead", grant.name)
        ]
    return []


def judge_log(model: Model, log: str, more: Iterable[str]) -> list[Finding]:
    """A finding where the log has a credential: a token of the model, or one of `more`."""
    secret = {token.value for grant in model.grants for token in grant.tokens} | set(more)
    if secret.isdisjoint(re.findall(r"[\w-]{20,}", log)):
        return []
    return [Finding(WRONG, "a credential is in the servers' log")]


def _judge_scopes(grant: Grant, shown: frozenset[str]) -> list[Finding]:
    held = grant.scopes()
    certain = {name for name, sure in held.items() if sure is Sure.YES}
    found = []
    if certain - shown:
        found.append(Finding(LOST, "an acknowledged change of scopes is not there", grant.name))
    if shown - {name for name, sure in held.items() if sure is not Sure.NO}:
        found.append(Finding(WRONG, "a scope is there that nothing gave", grant.name))
    return found


def _event(kind: str, sentence: str, grant: Grant) -> Finding:
    return Finding(kind, sentence, grant.name)


def _ask_all(grants: Iterable[Grant], calls: Calls) -> None:
    for grant in grants:
        calls.model.findings += _ask(grant, calls)
    calls.close()


def _ask(grant: Grant, calls: Calls) -> list[Finding]:
    found = []
    if not grant.grant_id:
        return _ask_unnamed(grant, calls)
    for port in calls.target.ports:
        found += judge_shown(grant, _shown(grant, calls, port))
    for number, token in enumerate(grant.tokens):
        port = calls.target.ports[number % len(calls.target.ports)]
        answer = _sure(lambda port=port, token=token: calls.introspect(port, token.value))
        found += judge_token(grant, token, answer.body.get("active") is True)
    return list(dict.fromkeys(found))


def _ask_unnamed(grant: Grant, calls: Calls) -> list[Finding]:
    """Findings about a grant whose ID no answer gave. It is found by its subject, which no other
    grant has.
    """
    port = calls.target.ports[0]
    answer = _sure(lambda: calls.post(port, "grants/list", {"subject": grant.subject}))
    number = len(answer.body.get("grants", []))
    least, most = grant.events(CREATED)
    if number > most:
        return [Finding(DOUBLED, "a grant was created too often", grant.name)]
    return [Finding(LOST, "a grant is not there", grant.name)] if number < least else []


def _shown(grant: Grant, calls: Calls, port: int) -> Shown:
    held = _sure(lambda: calls.post(port, f"grants/{grant.grant_id}/get", {"note": ""}))
    members = {
        "gmAction": "QUERY",
        "grantId": grant.grant_id,
        "accessToken": calls.target.client_tokens[grant.client],
    }
    answer = _sure(lambda: calls.post(port, "auth/gm", members))
    return Shown(held.body.get("status", held.code), answer.code, _scopes(answer))


def _scopes(answer: Answer) -> frozenset[str]:
    if not answer.done:
        return frozenset()
    content: dict[str, Any] = json.loads(answer.body.get("responseContent", "{}"))
    return frozenset(
        name for entry in content.get("scopes", []) for name in entry["scope"].split(" ")
    )


def _sure(ask: Any) -> Answer:
    """An answer after recovery; a call that failed is tried again."""
    answer = ask()
    for _ in range(TRIES - 1):
        if answer.status and not answer.failed and not answer.malformed:
            break
        answer = ask()
    return answer
