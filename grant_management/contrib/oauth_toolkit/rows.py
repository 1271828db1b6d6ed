"""The toolkit's rows, read from the database that they are written to, as ours are."""

from typing import Any, Final

from django.db.models import QuerySet
from oauth2_provider import models as toolkit
from oauth2_provider.models import (
    get_access_token_model,
    get_device_grant_model,
    get_grant_model,
    get_refresh_token_model,
)

from grant_management.db import primary

from .bridge import checksum

Rows = QuerySet[Any]

ORPHANS_ARE_DEAD: Final = hasattr(toolkit, "revoke_access_token")
"""From 3.4.1 on, which added that function, the toolkit refuses a refresh token whose access token
is gone."""


def access_tokens() -> Rows:
    """All access tokens of the toolkit."""
    return _rows(get_access_token_model())


def refresh_tokens() -> Rows:
    """All refresh tokens of the toolkit, also those that are revoked."""
    return _rows(get_refresh_token_model())


def codes() -> Rows:
    """The authorization codes, which the toolkit calls grants."""
    return _rows(get_grant_model())


def device_codes() -> Rows:
    """The device codes, which the toolkit calls device grants."""
    return _rows(get_device_grant_model())


def access_token(value: str) -> Rows:
    """The access token with this clear value: one row, or none."""
    return access_tokens().filter(token_checksum=checksum(value))


def refresh_token(value: str) -> Rows:
    """The rows of the refresh token with this clear value.

    There may be several: the toolkit may have revoked one and made another.
    """
    named = {"token_checksum": checksum(value)} if _has_checksums() else {"token": value}
    return refresh_tokens().filter(**named)


def alike(row: Any) -> Rows:
    """The other rows of the same refresh token."""
    column = "token_checksum" if _has_checksums() else "token"
    return refresh_tokens().exclude(pk=row.pk).filter(**{column: getattr(row, column)})


def digest(row: Any) -> bytes:
    """The SHA-256 digest by which we find the token of a row."""
    kept = getattr(row, "token_checksum", "") or checksum(row.token)
    return bytes.fromhex(kept)


def _has_checksums() -> bool:
    """Before 3.4 the toolkit finds refresh tokens by their values."""
    fields = get_refresh_token_model()._meta.get_fields()
    return any(one.name == "token_checksum" for one in fields)


def _rows(model: Any) -> Rows:
    found: Rows = model.objects.using(primary.alias())
    return found
