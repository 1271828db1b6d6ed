"""Our rows of the toolkit's tokens, and whether these tokens may be used."""

from typing import Any, cast

from grant_management.db import clock
from grant_management.models import AccessToken, RefreshToken, TokenStatus

from . import bridge, rows
from .models import LinkedToken


def access_token_of(row: Any) -> AccessToken | None:
    """Our row of an access token of the toolkit; None: it is unknown here."""
    found = bridge.SERVER.registered(AccessToken, rows.digest(row))
    return cast("AccessToken | None", found)


def access_token_lives(row: Any) -> bool:
    """Whether an access token that the toolkit accepts is alive here too.

    A token from before this app was added is unknown here: then the toolkit alone decides. A token
    that was registered but is unknown now was purged, and is dead.
    """
    found = access_token_of(row)
    if found is not None:
        return found.status(clock.now()) is TokenStatus.ACTIVE
    return not LinkedToken.objects.filter(access_token=row.pk).exists()


def refresh_token_lives(found: RefreshToken | None, value: str, application: Any) -> bool:
    """Whether the toolkit may be asked about a refresh token; `found` is our row of it, or None.

    The toolkit decides whether a rotated token may be used once more, since it may have a grace
    period; but not where every token that it was rotated into has been revoked.
    """
    if found is None:
        linked = LinkedToken.objects.filter(refresh_token__in=rows.refresh_token(value))
        return not linked.exists()
    if found.client.client_id != application.client_id:
        return False  # so the toolkit is not asked, and revokes nothing of another client
    if found.rotated_at is not None:
        found.revoked_at = None  # in memory only: judge it as if it had not been rotated
        if not found.relatives().filter(revoked_at=None).exists():
            return False
    return found.status(clock.now()) is TokenStatus.ACTIVE
