"""Whether a token that allauth accepts is alive here too."""

from typing import Any

from allauth.idp.oidc.models import Token

from grant_management.db import clock
from grant_management.models import TokenStatus

from . import rows
from .models import LinkedToken


def lives(row: Token) -> bool:
    """Whether a token that allauth accepts is alive here too: for views of your own.

    A token from before this app was added is unknown here: then allauth alone decides. A token that
    was registered but is unknown now was purged, and is dead.
    """
    link = LinkedToken.objects.filter(token=row.pk).first()
    found = None if link is None else our_row(link, row.type)
    if found is None:
        return link is None
    return bool(found.status(clock.now()) is TokenStatus.ACTIVE)


def our_row(link: LinkedToken, kind: str) -> Any:
    """Our row of a token of this type, with its client and grant; None: it was purged."""
    return rows.SERVER.registered(rows.MODELS[kind], bytes(link.digest))


def access_token_lives(value: str) -> bool:
    """Whether an access token is alive here, or unknown, by its clear value."""
    row = rows.presented(Token.Type.ACCESS_TOKEN, value).first()
    return row is None or lives(row)
