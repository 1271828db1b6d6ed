"""What dies on one side dies on the other, in the same transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db.models.signals import post_delete, post_save
from oauth2_provider.models import (
    get_access_token_model,
    get_grant_model,
    get_refresh_token_model,
)

from grant_management.db import clock
from grant_management.models import AccessToken, Grant, RefreshToken
from grant_management.models.token_revocation import revoke_tokens
from grant_management.protocol.digests import sha256
from grant_management.signals import tokens_dying

from . import bridge
from .models import AuthorizedCode, LinkedToken

UID = "grant_management_oauth_toolkit"

_issuing: ContextVar[bool] = ContextVar("grant_management_issuing", default=False)


def connect() -> None:
    """Called once, when the app is ready."""
    tokens_dying.connect(kill_there, sender=Grant, dispatch_uid=UID)
    post_delete.connect(deleted_there, sender=get_access_token_model(), dispatch_uid=UID)
    post_delete.connect(deleted_there, sender=get_refresh_token_model(), dispatch_uid=UID)
    post_save.connect(saved_there, sender=get_refresh_token_model(), dispatch_uid=UID)
    post_delete.connect(code_deleted_there, sender=get_grant_model(), dispatch_uid=UID)


@contextmanager
def issuing() -> Iterator[None]:
    """What the toolkit takes away while it issues tokens is part of that, and no event."""
    before = _issuing.set(True)
    try:
        yield
    finally:
        _issuing.reset(before)


def kill_there(grant: Grant, at: datetime, access: bool, **kwargs: Any) -> None:
    """Two statements, whatever hangs on the grant: the toolkit's own introspection sees them."""
    linked = LinkedToken.objects.filter(service_id=grant.service_id, grant=grant)
    if access:
        rows = get_access_token_model().objects.filter(
            pk__in=linked.exclude(access_token=None).values("access_token")
        )
        rows.update(expires=at, updated=at)
    rows = get_refresh_token_model().objects.filter(
        pk__in=linked.exclude(refresh_token=None).values("refresh_token")
    )
    rows.filter(revoked=None).update(revoked=at, updated=at)


def deleted_there(sender: Any, instance: Any, **kwargs: Any) -> None:
    """The toolkit revokes an access token by deleting its row; an application or a user that is
    deleted takes its tokens along.
    """
    is_access = issubclass(sender, get_access_token_model())
    _kill_here(AccessToken if is_access else RefreshToken, _checksum(instance))


def saved_there(instance: Any, **kwargs: Any) -> None:
    """The toolkit revokes a refresh token by a stamp."""
    if instance.revoked is not None:
        _kill_here(RefreshToken, _checksum(instance))


def code_deleted_there(instance: Any, **kwargs: Any) -> None:
    """A code that was never redeemed leaves nothing behind."""
    AuthorizedCode.objects.filter(digest=sha256(instance.code)).delete()


def _checksum(instance: Any) -> str:
    """Before 3.4 the toolkit keeps refresh tokens as they are, without a checksum."""
    return getattr(instance, "token_checksum", "") or bridge.checksum(instance.token)


def _kill_here(model: type[Any], checksum: str) -> None:
    """Its grant lives. A token that is not registered here is nobody's."""
    service = bridge.service()
    rows = model.objects.filter(service=service, digest=bytes.fromhex(checksum))
    if _issuing.get():
        rows.revoke(clock.now())
    else:
        revoke_tokens(service, [rows], bridge.ACTOR)
