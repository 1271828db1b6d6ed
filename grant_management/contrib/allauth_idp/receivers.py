"""Signal receivers: a token that dies on one side dies on the other, in the same transaction."""

from datetime import datetime
from typing import Any, Final

from allauth.idp.oidc.models import Client, Token
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.db.models.signals import post_delete, post_save, pre_delete

from grant_management.contrib.bridge import deaths
from grant_management.contrib.bridge.deaths import Deaths
from grant_management.db import clock, primary
from grant_management.models import AccessToken, Grant, RefreshToken
from grant_management.protocol.digests import sha256
from grant_management.signals import token_presented, tokens_dying

from . import rows
from .models import LinkedToken
from .rows import SERVER

UID = "grant_management_allauth_idp"
LINKS: Final = "_grant_management_links"
CASCADES: Final = ((Token, "token"), (Client, "token__client"), (get_user_model(), "token__user"))
"""Models whose deletion deletes tokens, and how a link leads to each."""


def connect() -> None:
    """Connect the receivers; called once, when the app is ready."""
    tokens_dying.connect(kill_there, sender=Grant, dispatch_uid=UID)
    for model in (AccessToken, RefreshToken):
        token_presented.connect(judge_there, sender=model, dispatch_uid=UID)
    pre_delete.connect(deleting_there, sender=Token, dispatch_uid=UID)
    post_delete.connect(deleted_there, sender=Token, dispatch_uid=UID)
    post_save.connect(saved_there, sender=Token, dispatch_uid=UID)


def kill_there(grant: Grant, at: datetime, access: bool, **kwargs: Any) -> None:
    """End allauth's tokens of a grant: refresh tokens, with `access` also access tokens.

    One statement, however many they are; `oidc_cleartokens` deletes them later. allauth compares
    with its server's clock, so they expire by more than that may differ from the database's.
    """
    kinds = [Token.Type.REFRESH_TOKEN, *([Token.Type.ACCESS_TOKEN] if access else [])]
    linked = LinkedToken.objects.filter(service_id=grant.service_id, grant=grant).values("token")
    theirs = rows.tokens().filter(pk__in=linked, type__in=kinds)
    theirs.update(expires_at=at - 2 * clock.CLOCK_TOLERANCE)


def judge_there(sender: Any, token: Any, value: str, **kwargs: Any) -> None:
    """Take a presented token as revoked where allauth no longer accepts its row.

    The other receivers do not see every death: an update of many rows sends no signal, and a user
    may be inactive.
    """
    if token.revoked_at is not None or not SERVER.is_ours(token.service_id):
        return
    kind = Token.Type.ACCESS_TOKEN if sender is AccessToken else Token.Type.REFRESH_TOKEN
    theirs = rows.presented(kind, value)
    row = theirs.valid().select_related("user").first()
    if row is not None and (row.user is None or row.user.is_active):
        return
    # Without a row and a link, allauth never had the token. A link without this row: the row has
    # another hash now.
    linked = LinkedToken.objects.filter(digest=sha256(value), token__type=kind)
    if theirs.exists() or linked.exists():
        token.revoked_at = clock.now()


def deleting_there(instance: Token, origin: Any = None, **kwargs: Any) -> None:
    """Note a token that allauth is about to delete; one call of `delete` is one act.

    allauth rotates, revokes and logs out by deleting rows. Deleting a client or a user deletes its
    tokens too.
    """
    whole = instance if origin is None else origin
    if LINKS not in whole.__dict__:
        whole.__dict__[LINKS] = _links(whole)
    digest = whole.__dict__[LINKS].get(instance.pk)
    _note(instance, deaths.of_call(SERVER, whole), digest)


def deleted_there(instance: Token, origin: Any = None, **kwargs: Any) -> None:
    """Revoke the noted tokens."""
    whole = instance if origin is None else origin
    whole.__dict__.pop(LINKS, None)
    deaths.end_call(SERVER, whole)


def saved_there(instance: Token, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """Revoke a token whose expiry was moved to the past."""
    if raw or created or not _is_expired(instance):
        return
    collecting = deaths.being_collected(SERVER)
    dying = collecting or Deaths(SERVER)
    _note(instance, dying)
    if collecting is None:
        dying.happen()


def _links(origin: Any) -> dict[Any, bytes]:
    """The digests of what a call of `delete` on `origin` deletes, by the token's key: 1 query.

    {}: another model's rows, with which tokens go.
    """
    of = [
        name
        for model, name in CASCADES
        if issubclass(getattr(origin, "model", type(origin)), model)
    ]
    if not of:
        return {}
    is_many = isinstance(origin, QuerySet)
    them = origin.using(primary.alias()).values("pk") if is_many else [origin.pk]
    links = LinkedToken.objects.filter(**{f"{of[0]}__in": them})
    return {token: bytes(digest) for token, digest in links.values_list("token", "digest")}


def _note(instance: Token, dying: Deaths, digest: bytes | None = None) -> None:
    """Note a token. `digest`: that of our row, if known; a token without a link has none."""
    if digest is None:
        links = LinkedToken.objects.filter(token=instance.pk)
        digest = next(map(bytes, links.values_list("digest", flat=True)), None)
    if digest is not None:
        dying.add(rows.MODELS[instance.type], digest)


def _is_expired(row: Token) -> bool:
    return row.expires_at is not None and row.expires_at <= clock.now()
