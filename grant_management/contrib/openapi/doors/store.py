"""The store: grants, clients, tokens, RFC 7662 and RFC 7009, and the stream of events."""

from typing import Final

from ....api.store import clients, events, grants, introspection, standard, tokens
from ....fields import members as m
from ....protocol.results import Result
from ..said import Key, Said
from ..schemas import Schema, told
from ..shapes import (
    COUNT,
    FLAG,
    NUMBER,
    SECONDS,
    STAMP,
    TEXT,
    UUID,
    Shape,
    acted,
    array_of,
    done,
    of,
)
from .common import BINDING, CLIENT_NAMES, CONTENT, EMPTY, NAMES, PROPERTIES

R = Result
_TOKEN_DEAD: Final = (
    R.ACCESS_TOKEN_UNKNOWN,
    R.ACCESS_TOKEN_EXPIRED,
    R.ACCESS_TOKEN_REVOKED,
    R.TOKEN_GRANT_DEAD,
    R.CLIENT_LOCKED,
)
_GRANT: Final[tuple[dict[str, Schema], dict[str, Schema]]] = (
    {"grantId": TEXT, **CLIENT_NAMES, "status": told(m.STATUS)},
    {
        **of("clientName", "subject", schema=TEXT),
        **CONTENT,
        **of("createdAt", "lastUpdatedAt", "expiresAt", "revokedAt", schema=STAMP),
        "updatedBy": told(m.UPDATED_BY),
    },
)
GRANT: Final = done("Grant", *_GRANT)
GRANTS: Final = done(
    "Grants", {"grants": array_of(Shape("ListedGrant", *_GRANT).ref)}, {"cursor": TEXT}
)
CHECKED: Final = acted(
    "Checked",
    ["OK", "BAD_REQUEST"],
    [R.STORE_DONE, R.STORE_REFUSED],
    of("error", "errorDescription", schema=TEXT),
)
CLIENT: Final = done("Client", {**CLIENT_NAMES, "locked": FLAG}, {"name": TEXT})
_ISSUED: Final[dict[str, Schema]] = {
    **of("accessToken", "refreshToken", "subject", "grantId", schema=TEXT),
    **CLIENT_NAMES,
    "expiresAt": STAMP,
    "expiresIn": SECONDS,
    "tokenType": {"type": "string", "enum": ["Bearer", "DPoP"]},
    "tokenId": UUID,
    "scopes": NAMES,
}
CREATED_TOKENS: Final = acted(
    "CreatedTokens",
    ["OK", "BAD_REQUEST", "FORBIDDEN"],
    [
        R.STORE_DONE,
        R.STORE_REFUSED,
        R.STORE_CLIENT_UNKNOWN,
        R.STORE_GRANT_UNKNOWN,
        R.BODY_UNREADABLE,
    ],
    {**_ISSUED, "grantType": TEXT, "properties": PROPERTIES},
)
REFRESHED: Final = acted(
    "RefreshedTokens",
    ["OK", "BAD_REQUEST", "UNAUTHORIZED"],
    [R.STORE_DONE, *BINDING],
    {**_ISSUED, **of("dpopNonce", "responseContent", schema=TEXT)},
)
COUNTED: Final = done("Counted", {"count": COUNT})
INTROSPECTED: Final = acted(
    "Introspected",
    ["OK", "BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN"],
    [
        R.STORE_DONE,
        R.STORE_REFUSED,
        *_TOKEN_DEAD,
        *BINDING,
        R.SCOPE_MISSING,
        R.TOKEN_OF_OTHER_SUBJECT,
    ],
    {
        **of("existent", "usable", "sufficient", "refreshable", schema=FLAG),
        **of(
            "responseContent",
            "subject",
            "certificateThumbprint",
            "grantId",
            "dpopNonce",
            schema=TEXT,
        ),
        "clientId": NUMBER,
        "scopes": NAMES,
        "expiresAt": STAMP,
        "grant": Shape("Granted", {}, CONTENT).ref,
    },
)
STANDARD: Final = Shape(
    "TokenIntrospection",
    {"active": FLAG},
    {
        **of("scope", "client_id", "sub", "token_type", "grant_id", schema=TEXT),
        **of("iat", "exp", schema=NUMBER),
        "cnf": Shape("Confirmation", {}, of("jkt", "x5t#S256", schema=TEXT)).ref,
    },
)
STREAMED: Final = Shape(
    "StreamedEvent",
    {**of("cursor", "type", "timestamp", "serviceId", schema=TEXT), "eventId": UUID},
    {
        **of("clientId", "grantId", "subject", "job", "actor", "actorName", schema=TEXT),
        **of("actorId", "reason", "note", "ticket", schema=TEXT),
        "details": {"type": "object", "additionalProperties": True},
    },
)
EVENTS: Final = done("Events", {"cursor": TEXT, "events": array_of(STREAMED.ref)})
SAID: Final[dict[Key, Said]] = {
    grants.check: Said("checkGrant", CHECKED, (R.STORE_CLIENT_UNKNOWN,)),
    grants.create: Said("createGrant", GRANT, (R.STORE_CLIENT_UNKNOWN, R.STORE_REFUSED)),
    grants.merge: Said("mergeGrant", GRANT, (R.STORE_GRANT_UNKNOWN, R.STORE_REFUSED)),
    grants.replace: Said("replaceGrant", GRANT, (R.STORE_GRANT_UNKNOWN, R.STORE_REFUSED)),
    grants.get: Said("getGrant", GRANT, (R.STORE_GRANT_UNKNOWN,)),
    grants.revoke: Said("revokeGrant", GRANT, (R.STORE_GRANT_UNKNOWN,)),
    grants.list_grants: Said("listGrants", GRANTS, (R.STORE_CLIENT_UNKNOWN,)),
    clients.save: Said("saveClient", CLIENT, (R.STORE_REFUSED,), ("clientIdentifier",)),
    tokens.create: Said("createTokens", CREATED_TOKENS, needs=("grantType",)),
    tokens.refresh: Said(
        "refreshTokens",
        REFRESHED,
        (R.STORE_CLIENT_UNKNOWN, R.STORE_REFRESH_REFUSED, R.STORE_SCOPE_REFUSED),
        ("refreshToken",),
    ),
    tokens.revoke: Said("revokeTokens", COUNTED),
    introspection.introspect: Said("introspectAccessToken", INTROSPECTED, needs=("token",)),
    standard.introspect: Said("introspectToken", STANDARD, needs=("token",)),
    standard.revoke: Said("revokeToken", EMPTY, needs=("token",)),
    events.list_events: Said("listEvents", EVENTS, (R.EVENTS_NOT_PUBLISHED,)),
}
