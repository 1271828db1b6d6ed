"""Row locks for issuing tokens, for rotating them and for revoking many of them.

A refresh token that belongs to a grant is locked through its grant; one that belongs to none,
through its family. Locks are taken in one order everywhere: the service and the client (shared),
then the grant or the family, then tokens. A revocation of many tokens locks their clients
exclusively (`hold_clients`), and a cut-off its service or its client (`CutOff.hold`), so both wait
for transactions that issue tokens.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import NamedTuple

from ..db import clock, primary
from ..db.joined import JoinedQuery, Part
from .client import Client
from .grant import Grant
from .service import Service
from .token import CLIENT_AND_GRANT, RefreshToken, token_parts


class HeldToken(NamedTuple):
    """A refresh token with its client and its grant, all read under the lock, and the time."""

    token: RefreshToken
    now: datetime


def hold_client(client: Client) -> tuple[Client, datetime]:
    """The client, with a shared lock in the caller's transaction, and the time.

    Its tokens cannot be revoked in bulk, nor the client or its service be cut off, until the
    transaction ends. Client.DoesNotExist: it is gone.
    """
    found = _client().get(primary.alias(), [client.service_id, client.pk])
    if found is None:
        raise Client.DoesNotExist
    (held, service), now = found
    held._state.fields_cache = {"service": service}
    return held, now


def hold_clients(service: Service, keys: Iterable[int]) -> datetime:
    """Lock clients exclusively: wait for transactions that issue their tokens, and block new ones
    until this transaction ends. Returns the time after that. `keys` are primary keys.
    """
    rows = Client.objects.filter(service=service, pk__in=set(keys)).order_by("pk")
    list(rows.select_for_update().values_list("pk", flat=True))
    return clock.now()


def hold_token(token: RefreshToken) -> HeldToken:
    """The token, read under its lock in the caller's transaction.

    RefreshToken.DoesNotExist: it was purged.
    """
    if token.grant is not None:
        _hold_grant(token.service, token.grant.grant_id)
    else:
        hold_client(token.client)
        family = RefreshToken.objects.filter(service_id=token.service_id, family=token.family)
        list(family.order_by("pk").select_for_update().values_list("pk", flat=True))
    # Hexadecimal: SQLite stores UUIDs in this form, and PostgreSQL reads it too.
    found = _token().get(primary.alias(), [token.service_id, token.pk.hex])
    if found is None:
        raise RefreshToken.DoesNotExist
    (held, client, grant, service), now = found
    held.know(service, client, grant)
    return HeldToken(held, now)


def _hold_grant(service: Service, grant_id: str) -> None:
    try:
        Grant.objects.locked(service, grant_id)
    except Grant.DoesNotExist:
        raise RefreshToken.DoesNotExist from None


@cache
def _client() -> JoinedQuery:
    return JoinedQuery(
        "FROM grant_management_client AS client"
        " JOIN grant_management_service AS owner ON owner.id = client.service_id"
        " WHERE client.service_id = %s AND client.id = %s",
        Part(Client, "client", repeats=True),
        Part(Service, "owner", repeats=True),
        lock="FOR KEY SHARE OF owner, client",
    )


@cache
def _token() -> JoinedQuery:
    return JoinedQuery(
        f"FROM grant_management_refreshtoken AS token {CLIENT_AND_GRANT}"
        " JOIN grant_management_service AS owner ON owner.id = token.service_id"
        " WHERE token.service_id = %s AND token.id = %s",
        *token_parts(RefreshToken),
        Part(Service, "owner", repeats=True),
    )
