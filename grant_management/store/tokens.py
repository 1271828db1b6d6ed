"""Tokens: created or registered, refreshed, revoked, introspected."""

import contextlib
import re
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from .. import lifecycle
from ..endpoint import challenge_of
from ..introspection import check_active, find_access_token
from ..lifecycle import Binding, Issue, Issued, LifecycleError
from ..members import flag, grant_id, integer, text, thumbprint
from ..models import AccessToken, RefreshToken, Service
from ..protocol.content import scope_names
from ..protocol.digests import b64url_decode, sha256
from ..protocol.results import GMAction, Refused, Result
from ..sender_constraint import required_nonces, verify_certificate, verify_key
from ..serializers import GMRequest
from .grants import show_content
from .reading import (
    CLIENT,
    Answer,
    Members,
    compact,
    done,
    find_client,
    find_grant,
    read,
    refused,
    strings,
    to_milliseconds,
)

VALUE = text(100_000)
_SECONDS = integer(0, 2**31 - 1)
_PROOF = {
    "clientCertificate": text(100_000, shortest=0),
    "dpop": text(100_000, shortest=0),
    "htm": text(100, shortest=0),
    "htu": text(10_000, shortest=0),
    "dpopNonceRequired": flag,
}
_CREATE = CLIENT | {
    "grantType": text(50),
    "subject": text(100),
    "scopes": strings,
    "accessTokenDuration": _SECONDS,
    "refreshTokenDuration": _SECONDS,
    "accessToken": VALUE,
    "refreshToken": VALUE,
    "certificateThumbprint": thumbprint,
    "dpopKeyThumbprint": thumbprint,
    "resources": strings,
    "grantId": grant_id,
}
WITHOUT_SUBJECT = "CLIENT_CREDENTIALS"
# RFC 6749 §4.4.3: there is no refresh token for a client's own; implicit ones never had one.
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


def create(service: Service, members: Members, now: datetime) -> Answer:
    """`/auth/token/create`: tokens, made here or registered, of a grant or of none."""
    values = read(members, _CREATE)
    try:
        client = find_client(service, values)
        subject = _subject(values)
        grant = _grant_of(service, values, members)
        issued = lifecycle.issue(client, subject, grant, _order(values), now)
    except LifecycleError as error:
        action = "FORBIDDEN" if error.error == "invalid_grant" else "BAD_REQUEST"
        return refused(Refused(Result.STORE_REFUSED, error.description), action)
    except Refused as refusal:
        return refused(refusal, "BAD_REQUEST")
    answer = _show(issued) | {"grantType": values["grantType"], "scopes": values.get("scopes")}
    if grant is not None:
        answer["properties"] = [{"key": "grant_id", "value": grant.grant_id}]
    return done(answer, "OK")


def refresh(service: Service, members: Members, now: datetime) -> Answer:
    """`/tokens/refresh`: new tokens for a refresh token, which is dead from then on."""
    values = read(members, CLIENT | _PROOF | {"refreshToken": VALUE, "scopes": strings})
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
        _verify_binding(old, values, now, answer)
    except Refused as refusal:
        challenge = challenge_of(refusal, service, old)
        return refused(refusal, _action(refusal)) | answer | {"responseContent": challenge}
    scopes = " ".join(_names(values.get("scopes"))) or old.scopes
    order = Issue(scopes=scopes, refresh_token="", binding=Binding(old.jkt, old.x5t_s256))
    try:
        issued = lifecycle.rotate(old, order, now)
    except LifecycleError as error:
        raise Refused(Result.STORE_REFRESH_REFUSED, error.description) from None
    return done(answer | _show(issued) | {"scopes": issued.access.scopes.split()}, "OK")


def revoke(service: Service, members: Members, now: datetime) -> Answer:
    """`/auth/token/revoke`: how many died. The grants that they belong to stay."""
    names = {"accessTokenIdentifier": VALUE, "refreshTokenIdentifier": VALUE}
    values = read(members, names | {"clientIdentifier": text(255), "subject": text(255)})
    if not values:
        raise Refused(Result.BODY_UNREADABLE, "say which tokens: a value, a client or a subject.")
    count = sum(rows.update(revoked_at=now) for rows in _rows_to_revoke(service, values))
    return done({}) | {"count": count}


def introspect(service: Service, members: Members, now: datetime) -> Answer:
    """`/auth/introspection`: whether a request to a resource may go on."""
    asked = {"token": VALUE, "scopes": strings, "subject": text(255)}
    values = read(members, asked | _PROOF)
    if "token" not in values:
        return refused(Refused(Result.STORE_REFUSED, "'token' is missing."), "BAD_REQUEST")
    token: AccessToken | None = None
    answer: Answer = {"existent": False, "usable": False, "sufficient": False}
    try:
        token = find_access_token(service, values["token"])
        answer |= _facts(token, now)
        check_active(token, now)
        answer["usable"] = True
        _verify_binding(token, values, now, answer)
        _check_sufficient(token, values)
    except Refused as refusal:
        scope = " ".join(values.get("scopes", ())) * (refusal.result is Result.SCOPE_MISSING)
        challenge = challenge_of(refusal, service, token, scope)
        return compact(refused(refusal, _action(refusal)) | answer | {"responseContent": challenge})
    return done(answer | {"sufficient": True}, "OK")


def _subject(values: dict[str, Any]) -> str | None:
    subject: str | None = values.get("subject")
    if values.get("grantType") not in GRANT_TYPES:
        raise Refused(Result.STORE_REFUSED, f"'grantType' is one of {', '.join(GRANT_TYPES)}.")
    if subject is None and values["grantType"] != WITHOUT_SUBJECT:
        raise Refused(Result.STORE_REFUSED, "'subject' is missing.")
    if subject is not None and not subject.isascii():
        raise Refused(Result.STORE_REFUSED, "'subject' must be ASCII.")
    return subject if values["grantType"] != WITHOUT_SUBJECT else None


def _grant_of(service: Service, values: dict[str, Any], members: Members) -> Any:
    """`grantId`, or the property `grant_id`, which is all that published clients can send."""
    named = {values["grantId"]} if "grantId" in values else set()
    properties = members.get("properties", [])
    if not isinstance(properties, list):
        raise Refused(Result.STORE_REFUSED, "'properties' must be an array.")
    for one in properties:
        if isinstance(one, dict) and one.get("key") == "grant_id":
            named.add(str(one.get("value")))
    if len(named) > 1:
        raise Refused(Result.STORE_REFUSED, "'grantId' and the property 'grant_id' differ.")
    return find_grant(service, named.pop()) if named else None


def _order(values: dict[str, Any]) -> Issue:
    refreshable = values["grantType"] not in _WITHOUT_REFRESH
    return Issue(
        scopes=" ".join(_names(values.get("scopes"))),
        access_token=values.get("accessToken", ""),
        refresh_token=values.get("refreshToken", "") if refreshable else None,
        access_token_duration=values.get("accessTokenDuration"),
        refresh_token_duration=values.get("refreshTokenDuration"),
        binding=Binding(
            values.get("dpopKeyThumbprint", ""), values.get("certificateThumbprint", "")
        ),
    )


def _names(scopes: list[str] | None) -> list[str]:
    try:
        return [name for scope in scopes or () for name in scope_names(scope)]
    except ValueError as error:
        raise Refused(Result.BODY_UNREADABLE, f"{error}.") from None


def _show(issued: Issued) -> Answer:
    access = issued.access
    lifetime = access.expires_at - access.issued_at if access.expires_at else None
    return {
        "accessToken": issued.access_token,
        "refreshToken": issued.refresh_token,
        "clientId": access.client_id,
        "clientIdentifier": access.client.client_id,
        "subject": access.subject,
        "expiresAt": to_milliseconds(access.expires_at) if access.expires_at else None,
        "expiresIn": int(lifetime.total_seconds()) if lifetime else None,
        "tokenType": "DPoP" if access.jkt else "Bearer",
        "tokenId": str(access.pk),
        "grantId": access.grant.grant_id if access.grant else None,
    }


def _facts(token: AccessToken, now: datetime) -> Answer:
    """What a token is, whether it is alive or not."""
    grant = token.grant
    return compact(
        {
            "existent": True,
            "clientId": token.client_id,
            "subject": token.subject,
            "scopes": token.scopes.split(),
            "expiresAt": to_milliseconds(token.expires_at) if token.expires_at else None,
            "certificateThumbprint": token.x5t_s256,
            "grantId": grant.grant_id if grant else None,
            "grant": show_content(grant) if grant else None,
            "refreshable": grant is not None and _has_refresh_token(token, now),
        }
    )


def _has_refresh_token(token: AccessToken, now: datetime) -> bool:
    rows = RefreshToken.objects.filter(service_id=token.service_id, grant=token.grant)
    alive = rows.filter(revoked_at=None).exclude(expires_at__lte=now)
    return alive.filter(generation=token.grant.refresh_generation if token.grant else 0).exists()


def _verify_binding(
    token: AccessToken | RefreshToken,
    values: dict[str, Any],
    now: datetime,
    answer: Answer,
) -> None:
    """Puts the nonce to hand on into the answer, which may be a refusal.

    Refused: the certificate or the proof is not the token's.
    """
    is_access = isinstance(token, AccessToken)
    call = GMRequest(
        access_token=values["token"] if is_access else "",
        client_certificate=values.get("clientCertificate", ""),
        dpop=values.get("dpop", ""),
        htm=values.get("htm", "") or ("GET" if is_access else "POST"),
        htu=values.get("htu", ""),
        dpop_nonce_required=values.get("dpopNonceRequired", False),
    )
    nonces = required_nonces(token.service, token, call, now)
    if nonces is not None:
        answer["dpopNonce"] = nonces.current
    verify_certificate(token, call)
    if token.jkt and call.dpop and not call.htu:
        raise Refused(Result.HTU_UNKNOWN)
    verify_key(token, GMAction.QUERY, call, nonces, now)


def _check_sufficient(token: AccessToken, values: dict[str, Any]) -> None:
    missing = sorted(set(_names(values.get("scopes"))) - set(token.scopes.split()))
    if missing:
        raise Refused(Result.SCOPE_MISSING, f"'{missing[0]}'.")
    if values.get("subject", token.subject) != token.subject:
        raise Refused(Result.TOKEN_OF_OTHER_SUBJECT)


def _action(refusal: Refused) -> str:
    forbidden = (Result.SCOPE_MISSING, Result.TOKEN_OF_OTHER_SUBJECT)
    if refusal.result in forbidden:
        return "FORBIDDEN"
    return "BAD_REQUEST" if refusal.result is Result.HTU_UNKNOWN else "UNAUTHORIZED"


def _rows_to_revoke(service: Service, values: dict[str, Any]) -> "list[QuerySet[Any]]":
    """The live tokens that all of the members fit; a token's value names its kind."""
    access = AccessToken.objects.filter(service=service, revoked_at=None)
    refresh = RefreshToken.objects.filter(service=service, revoked_at=None)
    kinds: list[QuerySet[Any]] = []
    if "accessTokenIdentifier" in values:
        kinds.append(access.filter(digest__in=_digests(values["accessTokenIdentifier"])))
    if "refreshTokenIdentifier" in values:
        kinds.append(refresh.filter(digest__in=_digests(values["refreshTokenIdentifier"])))
    rows = kinds or [access, refresh]
    if "clientIdentifier" in values:
        rows = [one.filter(client__client_id=values["clientIdentifier"]) for one in rows]
    if "subject" in values:
        rows = [one.filter(subject=values["subject"]) for one in rows]
    return rows


def _digests(identifier: str) -> list[bytes]:
    """A token's value, or its SHA-256 as 64 hexadecimal digits or in base64url."""
    digests = [sha256(identifier)]
    if re.fullmatch("[0-9A-Fa-f]{64}", identifier):
        digests.append(bytes.fromhex(identifier))
    if len(identifier) == 43:
        with contextlib.suppress(ValueError):
            digests.append(b64url_decode(identifier))
    return digests
