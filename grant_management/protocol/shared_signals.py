"""OpenID Shared Signals Framework 1.0: what is told of an event, and about whom.

See https://openid.net/specs/openid-sharedsignals-framework-1_0-final.html, the Continuous Access
Evaluation Profile 1.0, and the OAuth Event Types 1.0 (draft).
"""

import hashlib
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final, NamedTuple

from .. import home
from . import times
from .event_payload import EventPayload
from .strict_json import canonical

SPEC_VERSION: Final = "1_0"
PUSH: Final = "urn:ietf:rfc:8935"
POLL: Final = "urn:ietf:rfc:8936"
METHODS: Final = (PUSH, POLL)
STATUSES: Final = ("enabled", "paused", "disabled")

_OPENID: Final = "https://schemas.openid.net/secevent/"
VERIFICATION: Final = f"{_OPENID}ssf/event-type/verification"
STREAM_UPDATED: Final = f"{_OPENID}ssf/event-type/stream-updated"
SESSION_REVOKED: Final = f"{_OPENID}caep/event-type/session-revoked"
TOKENS_REVOKED: Final = f"{_OPENID}oauth/event-type/tokens-revoked"
CLIENT_DISABLED: Final = f"{_OPENID}oauth/event-type/client-disabled"
CLIENT_ENABLED: Final = f"{_OPENID}oauth/event-type/client-enabled"
NAMESPACE: Final = home.EVENT_TYPES


class Signal(NamedTuple):
    """What is told of an event: the types of the SETs, and the reason for an administrator."""

    types: tuple[str, ...]
    reason: str


def _own(name: str, reason: str) -> Signal:
    return Signal((NAMESPACE + name,), reason)


SIGNALS: Final[Mapping[str, Signal]] = {
    "grant.created": _own("grant-created", "The grant was created."),
    "grant.merged": _own("grant-merged", "A consent was merged into the grant."),
    "grant.replaced": _own("grant-replaced", "A consent replaced what the grant holds."),
    "grant.revoked": Signal((SESSION_REVOKED, TOKENS_REVOKED), "The grant was revoked."),
    "tokens.revoked": _own("tokens-revoked", "Tokens were revoked, and their grant lives."),
    "tokens.reused": _own("tokens-reused", "A rotated refresh token was used again."),
    "token.changed": _own("token-changed", "An access token was changed."),
    "cut_off.moved": Signal((SESSION_REVOKED,), "What was issued before a moment is cut off."),
    "client.locked": Signal((CLIENT_DISABLED,), "The client was locked."),
    "client.unlocked": Signal((CLIENT_ENABLED,), "The client was unlocked."),
    "client.deleted": Signal((CLIENT_DISABLED, SESSION_REVOKED), "The client was deleted."),
    "service.deleted": Signal((SESSION_REVOKED,), "The service was deleted."),
}
"""By the type of an event (`event_payload.TYPES`). Events of other types are not told.

A locked client is `client-disabled`, and everything from before a cut-off is a session that was
revoked. OAuth's `tokens-revoked` is about all tokens of its subject, which is the grant here, so it
is not told where access tokens outlive their grant. Tokens that were revoked without their grant
have a type of our own: OAuth's `token-revoked` has to name the token, and no event here does.
"""
SUPPORTED: Final = tuple(dict.fromkeys(kind for one in SIGNALS.values() for kind in one.types))
"""The types of events that a receiver may request."""

_ENTITIES: Final = {"operator": "admin", "command": "admin", "subject": "user"}
"""CAEP's `initiating_entity` by the kind of the actor; others are `system`."""
MEMBERS: Final = ("user", "application", "grant", "tenant")
"""The members of a complex subject that are known here (SSF §3.3)."""


def types_of(payload: EventPayload, *, keeps_access_tokens: bool) -> tuple[str, ...]:
    """The types of the SETs of an event; () for one that is not told."""
    signal = SIGNALS.get(payload.type)
    if signal is None:
        return ()
    return tuple(one for one in signal.types if not (one == TOKENS_REVOKED and keeps_access_tokens))


def details_of(payload: EventPayload) -> dict[str, Any]:
    """The members of an event in its SET: those that CAEP has for every type (§2)."""
    return {
        "event_timestamp": times.to_seconds(payload.at),
        "initiating_entity": _ENTITIES.get(payload.actor, "system"),
        "reason_admin": {"en": SIGNALS[payload.type].reason},
    }


def subject_of(payload: EventPayload, issuer: str) -> dict[str, Any]:
    """Whom an event is about, as a complex subject: the tenant where it is about nobody else."""
    found: dict[str, Any] = {}
    if payload.subject:
        found["user"] = {"format": "iss_sub", "iss": issuer, "sub": payload.subject}
    if payload.client_id:
        found["application"] = opaque(payload.client_id)
    if payload.grant_id:
        found["grant"] = opaque(payload.grant_id)
    return {"format": "complex", **(found or {"tenant": opaque(str(payload.service_id))})}


def opaque(identifier: str) -> dict[str, str]:
    """A subject identifier of the format `opaque` (RFC 9493 §3.2.7)."""
    return {"format": "opaque", "id": identifier}


def recognised(subject: Mapping[str, Any], issuer: str) -> dict[str, Any]:
    """The members of a subject that a receiver names: of a complex one, or a user by `iss_sub`.

    ValueError: it has a format or a member that no event here has.
    """
    named = dict(subject)
    if named.get("format") == "iss_sub":
        named = {"format": "complex", "user": named}
    if named.pop("format", None) != "complex" or not named:
        raise ValueError
    for name, one in named.items():
        if name not in MEMBERS or one != _as_here(name, one, issuer):
            raise ValueError
    return named


def _as_here(name: str, identifier: Any, issuer: str) -> dict[str, Any] | None:
    """The identifier in the form in which events have it; None: it is in another one."""
    key = "sub" if name == "user" else "id"
    value = identifier.get(key) if isinstance(identifier, dict) else None
    if not isinstance(value, str) or not value:
        return None
    return {"format": "iss_sub", "iss": issuer, "sub": value} if name == "user" else opaque(value)


def digest_of(members: Mapping[str, Any]) -> bytes:
    """The SHA-256 digest of a complex subject's members, in whichever order they are."""
    return hashlib.sha256(canonical(dict(members)).encode()).digest()


def digests_within(subject: Mapping[str, Any]) -> Iterator[bytes]:
    """The digests of all subjects that this one is a case of: each choice of its members."""
    names = [name for name in MEMBERS if name in subject]
    for size in range(1, len(names) + 1):
        for chosen in combinations(names, size):
            yield digest_of({name: subject[name] for name in chosen})
