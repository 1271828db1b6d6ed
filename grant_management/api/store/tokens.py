"""The operations of the store on tokens: create (or register), refresh, revoke."""

import contextlib
import re
from typing import Any

from ... import lifecycle
from ...endpoint.challenge import challenge_by
from ...fields import members as m
from ...fields.reading import read_one
from ...lifecycle import Binding, Issue, Issued, LifecycleError
from ...models import AccessToken, Grant, RefreshToken, Service
from ...models.token import TokenQuerySet
from ...models.token_revocation import revoke_tokens
from ...protocol import times
from ...protocol.digests import b64url_decode, sha256
from ...protocol.results import INVALID_GRANT, INVALID_SCOPE, Refused, Result
from .answer import ActionRefused, Answer, done
from .binding import action_of, verify_binding
from .request import StoreRequest, Values, find_client, find_grant

CREATE = (
    *m.CLIENT,
    m.GRANT_TYPE,
    m.SUBJECT,
    m.ASKED_SCOPES,
    m.LIFETIME,
    m.LIFETIME.named("refreshTokenDuration"),
    m.NEW_ACCESS_TOKEN,
    m.NEW_REFRESH_TOKEN,
    m.CERTIFICATE_THUMBPRINT,
    m.KEY_THUMBPRINT,
    m.GRANT_ID.named("grantId"),
    m.PROPERTIES,
)
REFRESH = (*m.CLIENT, m.REFRESH_TOKEN, m.ASKED_SCOPES, *m.PROOF)
REVOKE = (
    m.ACCESS_TOKEN_IDENTIFIER,
    m.REFRESH_TOKEN_IDENTIFIER,
    m.CLIENT_ID.named("clientIdentifier"),
    m.SUBJECT,
)
WITHOUT_SUBJECT = "CLIENT_CREDENTIALS"
# No refresh token comes with client credentials (RFC 6749 §4.4.3) or implicit (§4.2.2).
_WITHOUT_REFRESH = (WITHOUT_SUBJECT, "IMPLICIT")
GRANT_TYPES = (
    "AUTHORIZATION_CODE",
    "IMPLICIT",
    "PASSWORD",
    "CLIENT_CREDENTIALS",
    "REFRESH_TOKEN",
    "CIBA",
    "DEVICE_CODE",
    "TOKEN_EXCHANGE",
    "JWT_BEARER",
    "PRE_AUTHORIZED_CODE",
)


def create(request: StoreRequest) -> Answer:
    """`/auth/token/create`: issue tokens or register given values, for a grant or for none.

    ActionRefused FORBIDDEN: the client is locked, or the grant is dead, another client's or another
    user's. BAD_REQUEST: anything else that is wrong with the request.
    """
    values = request.values
    try:
        client = find_client(request.service, values)
        subject = _subject(values)
        grant = _grant_of(request.service, values)
        issued = lifecycle.issue(client, subject, grant, _order(values))
    except LifecycleError as error:
        action = "FORBIDDEN" if error.error == INVALID_GRANT else "BAD_REQUEST"
        raise ActionRefused(Refused(Result.STORE_REFUSED, error.description), action) from None
    except Refused as refusal:
        raise ActionRefused(refusal, "BAD_REQUEST") from None
    answer = _show(issued) | {"grantType": values["grantType"], "scopes": values.get("scopes")}
    if grant is not None:
        answer["properties"] = [{"key": "grant_id", "value": grant.grant_id}]
    return done(answer, "OK")


def refresh(request: StoreRequest) -> Answer:
    """`/tokens/refresh`: new tokens for a refresh token, which cannot be used again.

    Refused: the refresh token is unknown, not active or another client's, or lacks a scope.
    ActionRefused: the certificate or the DPoP proof that it is bound to is missing or not valid.
    """
    service, now = request.service, request.now
    values = request.values
    if "refreshToken" not in values:
        raise Refused(Result.BODY_UNREADABLE, "'refreshToken' is missing.")
    client = find_client(service, values)
    try:
        old = RefreshToken.objects.presented(service, values["refreshToken"])
    except RefreshToken.DoesNotExist:
        raise Refused(Result.STORE_REFRESH_REFUSED) from None
    if old.client_id != client.pk:
        raise Refused(Result.STORE_REFRESH_REFUSED)
    answer: Answer = {}
    try:
        verify_binding(old, values, now, answer)
    except Refused as refusal:
        challenge = challenge_by(service, refusal, old)
        more = answer | {"responseContent": challenge}
        raise ActionRefused(refusal, action_of(refusal), more) from None
    scopes = " ".join(values.get("scopes", ()))
    order = Issue(scopes=scopes, refresh_token="", binding=Binding(old.jkt, old.x5t_s256))
    try:
        issued = lifecycle.rotate(old, order)
    except LifecycleError as error:
        too_much = error.error == INVALID_SCOPE
        result = Result.STORE_SCOPE_REFUSED if too_much else Result.STORE_REFRESH_REFUSED
        raise Refused(result, error.description) from None
    return done(answer | _show(issued) | {"scopes": issued.access.scopes.split()}, "OK")


def revoke(request: StoreRequest) -> Answer:
    """`/auth/token/revoke`: revoke the tokens that match all members; answers how many (`count`).

    Their grants are not revoked. Refused: no member is given.
    """
    values = request.values
    if not values:
        raise Refused(Result.BODY_UNREADABLE, "say which tokens: a value, a client or a subject.")
    rows = _rows_to_revoke(request.service, values)
    about = {"client_id": values.get("clientIdentifier", ""), "subject": values.get("subject")}
    count = revoke_tokens(request.service, rows, request.caller, **about)
    return done({}) | {"count": count}


def _subject(values: Values) -> str | None:
    subject: str | None = values.get("subject")
    if values.get("grantType") not in GRANT_TYPES:
        raise Refused(Result.STORE_REFUSED, f"'grantType' is one of {', '.join(GRANT_TYPES)}.")
    if subject is None and values["grantType"] != WITHOUT_SUBJECT:
        raise Refused(Result.STORE_REFUSED, "'subject' is missing.")
    return subject if values["grantType"] != WITHOUT_SUBJECT else None


def _grant_of(service: Service, values: Values) -> Grant | None:
    """The grant of `grantId`, or of the property `grant_id` (all that Authlete's SDKs can send).

    None: no grant is named. Refused: two different ones are, or there is no such grant.
    """
    named = {values["grantId"]} if "grantId" in values else set()
    properties = values.get("properties", [])
    if not isinstance(properties, list):
        raise Refused(Result.STORE_REFUSED, "'properties' must be an array.")
    for one in properties:
        if isinstance(one, dict) and one.get("key") == "grant_id":
            named.add(read_one(m.GRANT_ID, one.get("value")))
    if len(named) > 1:
        raise Refused(Result.STORE_REFUSED, "'grantId' and the property 'grant_id' differ.")
    return find_grant(service, named.pop()) if named else None


def _order(values: Values) -> Issue:
    refreshable = values["grantType"] not in _WITHOUT_REFRESH
    return Issue(
        scopes=" ".join(values.get("scopes", ())),
        access_token=values.get("accessToken", ""),
        refresh_token=values.get("refreshToken", "") if refreshable else None,
        access_token_duration=values.get("accessTokenDuration"),
        refresh_token_duration=values.get("refreshTokenDuration"),
        binding=Binding(
            values.get("dpopKeyThumbprint", ""), values.get("certificateThumbprint", "")
        ),
    )


def _show(issued: Issued) -> Answer:
    access = issued.access
    lifetime = access.expires_at - access.issued_at if access.expires_at else None
    return {
        "accessToken": issued.access_token,
        "refreshToken": issued.refresh_token,
        "clientId": access.client_id,
        "clientIdentifier": access.client.client_id,
        "subject": access.subject,
        "expiresAt": times.to_milliseconds(access.expires_at) if access.expires_at else None,
        "expiresIn": int(lifetime.total_seconds()) if lifetime else None,
        "tokenType": "DPoP" if access.jkt else "Bearer",
        "tokenId": str(access.pk),
        "grantId": access.grant.grant_id if access.grant else None,
    }


def _rows_to_revoke(service: Service, values: Values) -> "list[TokenQuerySet[Any]]":
    """The tokens that match all members: of both kinds, unless the value of a token is given.

    The value of a refresh token selects its whole rotation family.
    """
    access = AccessToken.objects.filter(service=service)
    refresh = RefreshToken.objects.filter(service=service)
    kinds: list[TokenQuerySet[Any]] = []
    if "accessTokenIdentifier" in values:
        kinds.append(access.filter(digest__in=digests_of(values["accessTokenIdentifier"])))
    if "refreshTokenIdentifier" in values:
        named = refresh.filter(digest__in=digests_of(values["refreshTokenIdentifier"]))
        kinds.append(refresh.filter(family__in=named.values("family")))
    rows = kinds or [access, refresh]
    if "clientIdentifier" in values:
        rows = [one.filter(client__client_id=values["clientIdentifier"]) for one in rows]
    if "subject" in values:
        rows = [one.filter(subject=values["subject"]) for one in rows]
    return rows


def digests_of(identifier: str) -> list[bytes]:
    """The digests that an identifier may stand for.

    It is a token's value, or its SHA-256 as 64 hexadecimal digits or in base64url.
    """
    digests = [sha256(identifier)]
    if re.fullmatch("[0-9A-Fa-f]{64}", identifier):
        digests.append(bytes.fromhex(identifier))
    if len(identifier) == 43:
        with contextlib.suppress(ValueError):
            digests.append(b64url_decode(identifier))
    return digests
