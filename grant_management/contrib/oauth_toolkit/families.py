"""The families of refresh tokens: a token, and those that it was rotated into."""

from typing import Any

from grant_management.contrib.bridge.deaths import Deaths
from grant_management.contrib.bridge.issuing import lock
from grant_management.models import RefreshToken

from . import bridge, rows


def held(refresh_token: str, client: Any) -> RefreshToken | None:
    """Our row of a refresh token, read under the lock of its grant; None: it is unknown here.

    Another client's token is returned without a lock.
    """
    found = bridge.SERVER.refresh_token(refresh_token)
    if found is None or found.client.client_id != client.client_id:
        return found
    lock(found.client, found.grant)
    return bridge.SERVER.refresh_token(refresh_token)


def sweep(refresh_token: str, since: Any, dying: Deaths) -> None:
    """Add the refresh tokens of its family that the toolkit revoked since then.

    From 3.4.1 on the toolkit revokes a family by one update, which sends no signal.
    """
    for row in families(rows.refresh_token(refresh_token)).filter(revoked__gte=since):
        dying.add(RefreshToken, rows.digest(row))


def families(named: rows.Rows) -> rows.Rows:
    """All rows of the token families that these rows belong to."""
    known = named.exclude(token_family=None).values("token_family")
    return rows.refresh_tokens().filter(token_family__in=known)
