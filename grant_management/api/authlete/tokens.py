"""`auth/token/{get/list,update,delete}`: access tokens, in Authlete's shape."""

import base64
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from ...fields import members as m
from ...lifecycle import LifecycleError, TokenChange, change_access_token
from ...models import AccessToken, RefreshToken
from ...models.token_revocation import revoke_tokens
from ...protocol import times
from ...protocol.results import INVALID_GRANT, INVALID_TOKEN, Refused, Result
from ..store.answer import ActionRefused, Answer, compact, done
from ..store.request import StoreRequest, Values
from ..store.tokens import digests_of
from .clients import find
from .clients import show as show_client
from .paging import PAGE, cut

LIST: Final = (m.CLIENT_ID.named("clientIdentifier"), m.SUBJECT, *PAGE)
UPDATE: Final = (
    m.ACCESS_TOKEN,
    m.ACCESS_TOKEN_HASH,
    m.TOKEN_ID,
    m.NEW_EXPIRY,
    m.EXPIRES_ON_SCOPE_UPDATE,
    m.PERSISTENT,
    m.ASKED_SCOPES,
    m.CERTIFICATE_THUMBPRINT,
    m.KEY_THUMBPRINT,
    *m.NOT_CHANGED_HERE,
)


def list_tokens(request: StoreRequest) -> Answer:
    """A page of the access tokens that work now, of a client, a subject, or all.

    Those that end last come first. Tokens of a locked client are listed: they wait for its unlock.
    """
    service, values = request.service, request.values
    rows = AccessToken.objects.filter(service=service, client__deleted_at=None).alive(request.now)
    about: Answer = {"subject": values.get("subject")}
    if "clientIdentifier" in values:
        client = find(service, values["clientIdentifier"])
        rows, about["client"] = rows.filter(client=client), show_client(client)
    if "subject" in values:
        rows = rows.filter(subject=values["subject"])
    page = cut(rows.select_related("grant").order_by("-expires_at", "-pk"), values)
    return compact(page.shown | about) | {"accessTokens": [_show(token) for token in page.rows]}


def update(request: StoreRequest) -> Answer:
    """Change an access token that works: its expiry, its scopes, what it is bound to.

    ActionRefused BAD_REQUEST: no token is named, or a value is not acceptable. NOT_FOUND: no such
    token works; what is dead stays dead. FORBIDDEN: its client is locked.
    """
    values = request.values
    try:
        token = _named(request)
        change = _change(values, token.service.access_token_duration)
        token = change_access_token(token, change, request.caller)
    except Refused as refusal:
        missing = refusal.result is Result.STORE_TOKEN_NOT_FOUND
        raise ActionRefused(refusal, "NOT_FOUND" if missing else "BAD_REQUEST") from None
    except LifecycleError as error:
        refused = Refused(Result.STORE_REFUSED, error.description)
        raise ActionRefused(refused, _ACTIONS.get(error.error, "BAD_REQUEST")) from None
    return done(_changed(token) | {"accessToken": values.get("accessToken")}, "OK")


def delete(request: StoreRequest, *, token: str) -> Answer:
    """Revoke the token of this value or SHA-256; a refresh token with its rotation family.

    An unknown one gets the same answer, as in RFC 7009 §2.2.
    """
    service, digests = request.service, digests_of(token)
    access = AccessToken.objects.filter(service=service, digest__in=digests)
    refresh = RefreshToken.objects.filter(service=service)
    named = refresh.filter(digest__in=digests)
    family = refresh.filter(family__in=named.values("family"))
    revoke_tokens(service, [access, family], request.caller)
    return {}


_ACTIONS: Final = {INVALID_TOKEN: "NOT_FOUND", INVALID_GRANT: "FORBIDDEN"}


def _named(request: StoreRequest) -> AccessToken:
    """The token of `accessToken`, `accessTokenHash` or `tokenId`: the first that is given."""
    values, rows = request.values, AccessToken.objects.filter(service=request.service)
    if values.get("accessToken"):
        with suppress(AccessToken.DoesNotExist):
            return AccessToken.objects.presented(request.service, values["accessToken"])
        raise Refused(Result.STORE_TOKEN_NOT_FOUND)
    if values.get("accessTokenHash"):
        rows = rows.filter(digest__in=digests_of(values["accessTokenHash"]))
    elif "tokenId" in values:
        rows = rows.filter(pk=values["tokenId"])
    else:
        raise Refused(Result.STORE_REFUSED, "'accessToken' is missing.")
    token = rows.select_related("client", "grant").first()
    if token is None:
        raise Refused(Result.STORE_TOKEN_NOT_FOUND)
    token.know(request.service, token.client, token.grant)
    return token


def _change(values: Values, duration: int) -> TokenChange:
    renewed = "scopes" in values and values.get(m.EXPIRES_ON_SCOPE_UPDATE.name, False)
    return TokenChange(
        scopes=" ".join(values["scopes"]) if "scopes" in values else None,
        expires_at=_expiry(values),
        duration=duration if renewed else None,
        never_expires=values.get("accessTokenPersistent", False),
        jkt=values.get("dpopKeyThumbprint"),
        x5t_s256=values.get("certificateThumbprint"),
    )


def _expiry(values: Values) -> datetime | None:
    """The new expiry; None: it stays. SDKs send 0 for a time that was never set."""
    at: datetime | None = values.get(m.NEW_EXPIRY.name)
    return None if at == times.EPOCH else at


def _changed(token: AccessToken) -> Answer:
    return {
        "accessTokenExpiresAt": times.to_milliseconds(token.expires_at)
        if token.expires_at
        else None,
        "scopes": token.scopes.split(),
        "tokenType": "DPoP" if token.jkt else "Bearer",
        "tokenId": str(token.pk),
        "properties": _properties(token),
    }


def _show(token: AccessToken) -> Answer:
    """One token of a list. Its hash is its SHA-256 in base64url, which every operation takes."""
    digest = base64.urlsafe_b64encode(bytes(token.digest)).rstrip(b"=").decode()
    ends = token.ends_at()
    return compact(
        {
            "accessTokenHash": digest,
            "accessTokenExpiresAt": times.to_milliseconds(ends) if ends else None,
            "createdAt": times.to_milliseconds(token.issued_at),
            "clientId": token.client_id,
            "subject": token.subject,
            "scopes": token.scopes.split(),
            "properties": _properties(token),
        }
    )


def _properties(token: AccessToken) -> list[dict[str, Any]]:
    return [{"key": "grant_id", "value": token.grant.grant_id}] if token.grant else []
