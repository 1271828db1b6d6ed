"""Signal receivers: a token that dies on one side dies on the other, in the same transaction."""

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from oauth2_provider.models import (
    get_access_token_model,
    get_application_model,
    get_grant_model,
    get_refresh_token_model,
)
from oauth2_provider.settings import oauth2_settings

from grant_management.contrib.bridge import deaths
from grant_management.contrib.bridge.deaths import Deaths
from grant_management.db import clock
from grant_management.models import AccessToken, Grant, RefreshToken
from grant_management.models.token import Token
from grant_management.protocol.digests import sha256
from grant_management.signals import token_presented, tokens_dying

from . import bridge, rows
from .models import AuthorizedCode, LinkedToken

UID = "grant_management_oauth_toolkit"
_WAS = "_grant_management_was"


def connect() -> None:
    """Connect the receivers; called once, when the app is ready."""
    tokens_dying.connect(kill_there, sender=Grant, dispatch_uid=UID)
    for model in (AccessToken, RefreshToken):
        token_presented.connect(judge_there, sender=model, dispatch_uid=UID)
    for theirs in (get_access_token_model(), get_refresh_token_model()):
        pre_delete.connect(deleting_there, sender=theirs, dispatch_uid=UID)
        post_delete.connect(deleted_there, sender=theirs, dispatch_uid=UID)
        pre_save.connect(saving_there, sender=theirs, dispatch_uid=UID)
        post_save.connect(saved_there, sender=theirs, dispatch_uid=UID)
    post_delete.connect(code_deleted_there, sender=get_grant_model(), dispatch_uid=UID)


def kill_there(grant: Grant, at: datetime, access: bool, **kwargs: Any) -> None:
    """End the toolkit's tokens of a grant in the toolkit's rows, where its own introspection looks.

    Refresh tokens are revoked first, since the toolkit too locks them before access tokens. With
    `access`, access tokens expire. At most two statements, however many tokens the grant has.
    """
    linked = LinkedToken.objects.filter(service_id=grant.service_id, grant=grant)
    refresh = linked.exclude(refresh_token=None).values("refresh_token")
    rows.refresh_tokens().filter(pk__in=refresh, revoked=None).update(revoked=at, updated=at)
    if access:
        alive = linked.exclude(access_token=None).values("access_token")
        rows.access_tokens().filter(pk__in=alive).update(expires=at, updated=at)


def judge_there(sender: type[Token], token: Token, value: str, **kwargs: Any) -> None:
    """Take a presented token as revoked where the toolkit no longer accepts its row.

    The other receivers do not see every death: an update of many rows sends no signal.
    """
    is_ours = token.revoked_at is None and bridge.is_ours(token.service_id)
    if is_ours and (_is_expired if sender is AccessToken else _is_revoked)(value):
        token.revoked_at = clock.now()


def _is_expired(value: str) -> bool:
    """Judged by this server's clock, by which the toolkit stamps and judges its rows."""
    row = rows.access_token(value).only("expires").first()
    return row is not None and row.is_expired()


def _is_revoked(value: str) -> bool:
    """Whether the toolkit has rows of this refresh token, and none of them is alive."""
    states = list(rows.refresh_token(value).values_list("revoked", "access_token"))
    return bool(states) and all(
        revoked is not None or (rows.ORPHANS_ARE_DEAD and access is None)
        for revoked, access in states
    )


def deleting_there(sender: Any, instance: Any, origin: Any = None, **kwargs: Any) -> None:
    """Note a token that the toolkit is about to delete; one call of `delete` is one act.

    The toolkit revokes an access token by deleting its row. Deleting an application or a user
    deletes its tokens too.
    """
    dying = deaths.of_call(bridge.SERVER, instance if origin is None else origin)
    if not _lives_on(instance):
        dying.add(_kind(sender), rows.digest(instance))
    if _kind(sender) is AccessToken and not instance.is_expired() and not _takes_all(origin):
        # Its refresh token dies with it (RFC 7009 §2.1); the toolkit does so from 3.4.1 on. An
        # expired access token is merely cleaned up: its refresh token lives on.
        for row in rows.refresh_tokens().filter(access_token=instance, revoked=None):
            dying.add(RefreshToken, rows.digest(row))


def deleted_there(instance: Any, origin: Any = None, **kwargs: Any) -> None:
    """Revoke the noted tokens. Django sends every `pre_delete` of a call before the first
    `post_delete`, so by now all of them are known.
    """
    deaths.end_call(bridge.SERVER, instance if origin is None else origin)


def saving_there(instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Note the digest that a row has before it is saved.

    Without rotation, a refresh writes the new access token over the row of the old one.
    """
    if not raw and not instance._state.adding:
        model = (
            rows.access_tokens() if _kind(type(instance)) is AccessToken else rows.refresh_tokens()
        )
        before = model.filter(pk=instance.pk).first()
        setattr(instance, _WAS, None if before is None else rows.digest(before))


def saved_there(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Revoke a token that the toolkit stamped as revoked, or wrote another token over."""
    was = instance.__dict__.pop(_WAS, None)
    if raw or was is None:
        return
    collecting = deaths.being_collected(bridge.SERVER)
    dying = collecting or Deaths(bridge.SERVER)
    if was != rows.digest(instance) or (_is_dead(instance) and not _lives_on(instance)):
        dying.add(_kind(sender), was)
    if collecting is None:
        dying.happen()


def code_deleted_there(instance: Any, **kwargs: Any) -> None:
    """Delete our row of a code that was redeemed, or never will be."""
    AuthorizedCode.objects.filter(digest=sha256(instance.code)).delete()


def _is_dead(instance: Any) -> bool:
    if _kind(type(instance)) is AccessToken:
        return bool(instance.is_expired())
    return instance.revoked is not None


def _lives_on(instance: Any) -> bool:
    """Whether another row of the same refresh token is alive.

    Without rotation the toolkit makes a new row where the access token is gone.
    """
    if _kind(type(instance)) is AccessToken or oauth2_settings.ROTATE_REFRESH_TOKEN:
        return False
    return bool(rows.alike(instance).filter(revoked=None).exists())


def _kind(theirs: Any) -> type[Token]:
    """Our model for a token model of the toolkit."""
    return AccessToken if issubclass(theirs, get_access_token_model()) else RefreshToken


def _takes_all(origin: Any) -> bool:
    """Whether the refresh tokens are deleted with the access tokens anyway."""
    model = getattr(origin, "model", type(origin))
    return issubclass(model, (get_application_model(), get_user_model()))
