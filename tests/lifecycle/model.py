"""What the contract says of grants and their tokens (contract §3 to §8), without database or clock.

Written from the contract, not from the code. Whoever drives it says what time it is; nothing here
knows a door. `events` is the trail that there must be.
"""

import copy
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

QUERY, REVOKE = "grant_management_query", "grant_management_revoke"
CLIENT_AND_SUBJECT, CLIENT = "client_and_subject", "client"
ACCESS, REFRESH = "access_token", "refresh_token"
UNCLAIMED_FOR = timedelta(days=1)
DEAD_KEPT_FOR = timedelta(days=30)


class State(StrEnum):
    """Of a token, in the order of row 5: the first that holds is told."""

    EXPIRED = "expired"
    REVOKED = "revoked"
    GRANT_DEAD = "grant_dead"
    SUPERSEDED = "superseded"
    LOCKED = "client_locked"
    ACTIVE = "active"


CODES = {
    State.EXPIRED: "A280301",
    State.REVOKED: "A280302",
    State.GRANT_DEAD: "A280303",
    State.SUPERSEDED: "A280303",
    State.LOCKED: "A280304",
}


@dataclass(frozen=True)
class Held:
    """What a grant holds: pairs of scope and resource, claims, details (JSON texts, in order)."""

    pairs: frozenset = frozenset()
    claims: frozenset = frozenset()
    details: tuple = ()

    def merged(self, other):
        known = [json.loads(one) for one in self.details]
        new = tuple(one for one in other.details if json.loads(one) not in known)
        return Held(self.pairs | other.pairs, self.claims | other.claims, self.details + new)

    def scopes(self):
        """Grouped by equal sets of resources; the one without resources last (§3)."""
        resources = {}
        for name, resource in self.pairs:
            if resource is not None:
                resources.setdefault(name, set()).add(resource)
        groups = {}
        for name, held in resources.items():
            groups.setdefault(tuple(sorted(held)), []).append(name)
        shown = [
            {"scope": " ".join(sorted(names)), "resource": list(held)}
            for held, names in sorted(groups.items())
        ]
        bare = sorted(name for name, resource in self.pairs if resource is None)
        return shown + ([{"scope": " ".join(bare)}] if bare else [])

    def names(self):
        return {name for name, _ in self.pairs}

    def types(self):
        return {json.loads(one)["type"] for one in self.details}

    def shown(self):
        """The JSON text of a QUERY, without the optional members."""
        parts = []
        if self.pairs:
            parts.append(f'"scopes":{compact(self.scopes())}')
        if self.claims:
            parts.append(f'"claims":{compact(sorted(self.claims))}')
        if self.details:
            parts.append(f'"authorization_details":[{",".join(self.details)}]')
        return "{" + ",".join(parts) + "}"


def compact(value):
    return json.dumps(value, separators=(",", ":"))


class Named:
    """Shown by its name, also where hypothesis tells what it did."""

    def _repr_pretty_(self, printer, cycle):
        printer.text(repr(self))


@dataclass(eq=False)
class Service(Named):
    name: str
    ownership: str = CLIENT_AND_SUBJECT
    revoke_access_tokens: bool = True
    not_before: datetime | None = None

    def __repr__(self):
        return self.name


@dataclass(eq=False)
class Client(Named):
    service: Service
    client_id: str
    not_before: datetime | None = None
    locked: bool = False

    def __repr__(self):
        return f"{self.service}/{self.client_id}"

    def cut_off(self):
        stamps = [one for one in (self.not_before, self.service.not_before) if one]
        return max(stamps, default=None)

    def cuts_off(self, moment):
        stamp = self.cut_off()
        return stamp is not None and moment < stamp


@dataclass(eq=False)
class Grant(Named):
    name: str
    client: Client
    subject: str | None
    held: Held
    created: datetime
    expires: datetime | None = None
    pending: bool = True
    revoked: bool = False
    died: datetime | None = None
    changed: datetime | None = None
    access: int = 0
    refresh: int = 0
    grant_id: str = ""
    is_gone: bool = False

    def __repr__(self):
        return self.name

    @property
    def service(self):
        return self.client.service

    def is_expired(self, now):
        return self.expires is not None and self.expires <= now

    def status(self, now):
        if self.revoked:
            return "revoked"
        if self.client.cuts_off(self.created):
            return "cut_off"
        if self.is_expired(now):
            return "expired"
        return "pending" if self.pending else "active"


@dataclass(eq=False)
class Token(Named):
    """`slack`: how much later it may have been issued, and so may end, than the model says."""

    name: str
    kind: str
    client: Client
    grant: Grant | None
    subject: str | None
    scopes: frozenset
    issued: datetime
    expires: datetime | None
    generation: int
    family: str = ""
    bound: str = ""
    revoked: datetime | None = None
    rotated: bool = False
    value: str = ""
    slack: timedelta = timedelta(0)
    is_gone: bool = False

    def __repr__(self):
        return self.name

    @property
    def service(self):
        return self.client.service

    def state(self, now):
        """Row 5 of §4."""
        grant = self.grant
        if self.expires is not None and self.expires <= now:
            return State.EXPIRED
        if self.revoked is not None or self.client.cuts_off(self.issued):
            return State.REVOKED
        if grant is not None and (grant.is_expired(now) or self.client.cuts_off(grant.created)):
            return State.GRANT_DEAD
        if grant is not None and not self.is_of_this_generation():
            return State.GRANT_DEAD if grant.revoked else State.SUPERSEDED
        return State.LOCKED if self.client.locked else State.ACTIVE

    def is_of_this_generation(self):
        """No refresh token outlives its grant, whatever generation it came in with (draft §6.5)."""
        if self.kind == ACCESS:
            return self.generation == self.grant.access
        return self.generation == self.grant.refresh and not self.grant.revoked

    def is_active(self, now):
        return self.state(now) is State.ACTIVE

    def end(self):
        """Never later than its grant's (RFC 7662 §2.2)."""
        ends = [self.expires, self.grant.expires if self.grant else None]
        return min((one for one in ends if one is not None), default=None)


@dataclass(frozen=True)
class Event:
    """`actor` is kind and name; `about` names the grant and the client, where there is one."""

    service: str
    kind: str
    actor: tuple
    grant: str = ""
    client: str = ""
    subject: str | None = None
    reason: str = ""
    in_job: bool = False


@dataclass
class Model:
    services: list = field(default_factory=list)
    clients: list = field(default_factory=list)
    grants: list = field(default_factory=list)
    tokens: list = field(default_factory=list)
    events: list = field(default_factory=list)

    def snapshot(self):
        """As an export has it: what was purged is not in it."""
        whole = copy.deepcopy(self)
        whole.events = []
        whole.grants = [one for one in whole.grants if not one.is_gone]
        whole.tokens = [one for one in whole.tokens if not one.is_gone]
        return whole

    def record(self, service, kind, actor, grant=None, **about):
        if grant is not None:
            names = {
                "grant": grant.name,
                "client": grant.client.client_id,
                "subject": grant.subject,
            }
            about = names | about
        self.events.append(Event(service.name, kind, actor, **about))

    def at(self, service, grant):
        """What the ID of this grant stands for at a service: perhaps another grant; None: nothing."""
        there = [one for one in self.grants if one.service is service and not one.is_gone]
        return next((one for one in there if one.grant_id == grant.grant_id), None)

    # -- what a call is answered (§4) ---------------------------------------------------------

    def judged(self, token, action, grant, now, *, proven=True):
        """The code of a QUERY or REVOKE with a token, of the grant that `at` gives."""
        if token.is_gone:
            return "A279306"
        state = token.state(now)
        if state is not State.ACTIVE:
            return CODES[state]
        if token.bound and not proven:
            return {"key": "A281305", "certificate": "A281301"}[token.bound]
        if (QUERY if action == "QUERY" else REVOKE) not in token.scopes:
            return "A282301"
        if grant is None or grant.status(now) != "active":
            return "A283301"
        return self._owned(token, grant)

    @staticmethod
    def _owned(token, grant):
        if grant.client is not token.client:
            return "A284301"
        by_client = token.service.ownership == CLIENT or token.subject is None
        return "A277001" if by_client or grant.subject == token.subject else "A284302"

    def refreshable(self, grant, now):
        """Whether a refresh token of the grant would be taken now."""
        return any(
            token.is_active(now)
            for token in self.tokens
            if token.kind == REFRESH and token.grant is grant and not token.is_gone
        )

    def may_change(self, client, subject, grant, now):
        """§5: else `invalid_grant_id`."""
        if grant is None or grant.is_gone:
            return False
        owned = grant.client is client and grant.subject == subject
        return owned and grant.status(now) == "active"

    # -- the life of a grant (§5) -------------------------------------------------------------

    def create(self, name, client, subject, held, now, *, expires=None, active=False, actor):
        grant = Grant(name, client, subject, held, now, expires, pending=not active)
        self.grants.append(grant)
        self.record(client.service, "created", actor, grant)
        return grant

    def merge(self, grant, held, now, *, expires=None, actor=None):
        grant.held = grant.held.merged(held)
        grant.refresh += 1
        self._changed(grant, "merged", now, expires, actor)

    def replace(self, grant, held, now, *, expires=None, actor=None):
        grant.held = held
        grant.refresh += 1
        grant.access += 1
        self._changed(grant, "replaced", now, expires, actor)

    def _changed(self, grant, kind, now, expires, actor):
        grant.changed = now
        if expires is not None:
            grant.expires = expires
        actor = actor or ("client", grant.client.client_id)
        self.record(grant.service, kind, actor, grant)

    def may_issue(self, client, subject, grant, now, *, consented=None):
        if client.locked:
            return False
        if grant is None:
            return True
        alive = not grant.is_gone and grant.status(now) in ("active", "pending")
        owned = grant.client is client and grant.subject == subject
        return alive and owned and consented in (None, grant.access)

    def issue(self, name, client, subject, grant, now, **order):
        """The access token; and the refresh token, where the order has `refresh` seconds."""
        if grant is not None:
            grant.pending = False
        family = order.pop("family", name)
        refresh = order.pop("refresh", None)
        scopes, all_scopes = order.pop("scopes"), order.pop("refresh_scopes", None)
        lasts = order.pop("access")
        made = [self._token(name, ACCESS, client, subject, grant, scopes, now, lasts, **order)]
        if refresh is not None:
            held = scopes if all_scopes is None else all_scopes
            more = order | {"family": family}
            one = f"{name}r"
            made.append(
                self._token(one, REFRESH, client, subject, grant, held, now, refresh, **more)
            )
        return made

    def _token(self, name, kind, client, subject, grant, scopes, now, lasts, **more):
        ends = [now + lasts, grant.expires if grant else None]
        if grant is None:
            generation = 0
        else:
            generation = grant.access if kind == ACCESS else grant.refresh
        token = Token(
            name,
            kind,
            client,
            grant,
            subject,
            frozenset(scopes),
            now,
            min(one for one in ends if one is not None),
            generation,
            **more,
        )
        self.tokens.append(token)
        return token

    def refresh(self, old, name, scopes, now, **order):
        """What comes of it: new tokens; or the error."""
        if old.is_gone:
            return "invalid_grant"
        if old.rotated:
            self._kill_family(old, now)
            return "invalid_grant"
        if not old.is_active(now):
            return "invalid_grant"
        if not scopes <= old.scopes:
            return "invalid_scope"
        old.revoked, old.rotated = now, True
        kept = {"family": old.family, "bound": old.bound, "refresh_scopes": old.scopes}
        asked = scopes or old.scopes
        return self.issue(
            name, old.client, old.subject, old.grant, now, scopes=asked, **kept, **order
        )

    def _kill_family(self, old, now):
        """Every refresh token of the grant; of none, all that came of it. Once (faults, class 7)."""
        by, service, grant = ("client", old.client.client_id), old.service, old.grant
        if grant is not None:
            if old.is_of_this_generation():
                grant.refresh += 1
                self.record(service, "refresh_reused", by, grant)
        elif self.stamp(self.relatives(old), now):
            about = {"client": old.client.client_id, "subject": old.subject}
            self.record(service, "refresh_reused", by, **about)

    def relatives(self, token):
        return [
            one
            for one in self.tokens
            if one.kind == REFRESH and one.family == token.family and one.service is token.service
        ]

    # -- the ways to die ----------------------------------------------------------------------

    def revoke(self, grant, now, actor, reason, *, in_job=False):
        """Whether this call did it."""
        if grant.revoked:
            return False
        grant.revoked, grant.died = True, now
        grant.refresh += 1
        grant.access += int(grant.service.revoke_access_tokens)
        self.record(grant.service, "revoked", actor, grant, reason=reason, in_job=in_job)
        return True

    @staticmethod
    def stamp(tokens, now):
        """How many of these this call revoked: not those that have their end behind them."""
        alive = [one for one in tokens if one.revoked is None and not one.is_gone]
        alive = [one for one in alive if one.expires is None or one.expires > now]
        for token in alive:
            token.revoked = now
        return len(alive)

    def revoke_tokens(self, service, tokens, now, actor, **about):
        """§8 and RFC 7009: the grants live. One event, where there was anything to revoke."""
        count = self.stamp(tokens, now)
        if count:
            self.record(service, "tokens_revoked", actor, **about)
        return count

    def move_cut_off(self, target, to, actor, *, reason="", in_job=False):
        """Whether it moved: only forward."""
        if target.not_before is not None and target.not_before >= to:
            return False
        target.not_before = to
        service = target if isinstance(target, Service) else target.service
        client = "" if isinstance(target, Service) else target.client_id
        self.record(service, "cut_off", actor, client=client, reason=reason, in_job=in_job)
        return True

    def set_lock(self, client, locked, actor, reason=""):
        if client.locked != locked:
            client.locked = locked
            kind = "client_locked" if locked else "client_unlocked"
            about = {"client": client.client_id, "reason": reason}
            self.record(client.service, kind, actor, **about)

    def sweep(self, service, wanted, now, actor, reason):
        """§4 and `revoke_grants`: what a filter finds. A moment alone, or a client's, is a cut-off."""
        client, before = wanted.get("client"), wanted.get("before")
        found = [one for one in self.grants if self._is_wanted(one, service, wanted)]
        is_cut_off = before is not None and not wanted.keys() & {"subject", "scope", "type"}
        about = {"client": client.client_id if client else "", "reason": reason, "in_job": True}
        moved = is_cut_off and self.move_cut_off(
            client or service, before, actor, reason=reason, in_job=True
        )
        subject = {"subject": wanted.get("subject")}
        if not moved:
            self.record(service, "job_started", actor, **about, **subject)
        for grant in found:
            self.revoke(grant, before if is_cut_off else now, actor, reason, in_job=True)
        self.record(service, "job_finished", actor, **about, **subject)
        return len(found)

    @staticmethod
    def _is_wanted(grant, service, wanted):
        if grant.is_gone or grant.revoked or grant.service is not service:
            return False
        says = {
            "client": lambda value: grant.client is value,
            "subject": lambda value: grant.subject == value,
            "scope": lambda value: value in grant.held.names(),
            "type": lambda value: value in grant.held.types(),
            "before": lambda value: grant.created < value,
        }
        return all(says[name](value) for name, value in wanted.items())

    def purge(self, now):
        """What has expired goes; what is dead without an expiry, after a while; and grants that
        nobody claimed. Nothing that is alive.
        """
        for token in self.tokens:
            if not token.is_gone and self._is_over(token, now):
                token.is_gone = True
        for grant in self.grants:
            held = any(one.grant is grant and not one.is_gone for one in self.tokens)
            if grant.pending and grant.created <= now - UNCLAIMED_FOR and not held:
                grant.is_gone = True

    @staticmethod
    def _is_over(token, now):
        if token.expires is not None:
            return token.expires <= now
        long_ago = now - DEAD_KEPT_FOR
        if token.revoked is not None and token.revoked <= long_ago:
            return True
        if token.grant is None or token.is_of_this_generation():
            return False
        stamps = (token.grant.died, token.grant.changed)
        return any(one is not None and one <= long_ago for one in stamps)
