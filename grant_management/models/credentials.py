"""The credentials of a call: an API token, a service's number and a client's access token."""

from datetime import datetime
from typing import Final, NamedTuple, Self

from ..db import apart, clock, primary
from ..db.joined import JoinedQuery, Part
from ..db.values import Value
from ..protocol.digests import sha256
from .api_token import ApiToken
from .service import Service
from .token import CLIENT_AND_GRANT, AccessToken, token_parts


class Credentials(NamedTuple):
    """The rows behind the credentials of a call.

    `asked` is the service of that number; None: the API token's organization has no such service,
    or deleted it.
    `access_token` None: that service has no such token.
    """

    api_token: ApiToken
    asked: Service | None
    access_token: AccessToken | None
    now: datetime
    """The database's time when the rows were read."""

    @classmethod
    def find(cls, api_token: str, service_id: int, access_token: str = "") -> Self | None:
        """The rows behind the clear values, active or not; None: no such API token. 1 query; where
        the service lives apart, 1 to each of the two databases.
        """
        if apart.is_away():
            return cls._find_apart(api_token, service_id, access_token)
        values: list[Value] = [service_id, sha256(access_token), sha256(api_token)]
        found = _PRESENTED.get(primary.alias(), values)
        if found is None:
            return None
        (caller, asked, token, client, grant), now = found
        clock.watch(now)
        if token is not None:
            token.know(asked, client, grant)
        return cls(caller, asked, token, now)

    @classmethod
    def _find_apart(cls, api_token: str, service_id: int, access_token: str) -> Self | None:
        """As `find`. The service's own database is asked only for an API token that opens it."""
        known = _CALLER.get(apart.first(), [service_id, sha256(api_token)])
        if known is None:
            return None
        (caller, copy), now = known
        found = cls(caller, copy, None, now)
        if found.opened() is None or not caller.is_active(now):
            return found._replace(asked=None)
        values: list[Value] = [sha256(access_token), service_id, caller.organization_id]
        owned = _OWNED.get(primary.alias(), values)
        if owned is None:  # it was deleted, or is not moved there yet
            return found._replace(asked=None)
        (asked, token, client, grant), now = owned
        clock.watch(now)
        if token is not None:
            token.know(asked, client, grant)
        return cls(caller, asked, token, now)

    def opened(self) -> Service | None:
        """The service of that number; None: the API token does not open it."""
        if self.asked is None or self.api_token.service_id not in (None, self.asked.pk):
            return None
        return self.asked


def service_and_time(number: int) -> tuple[Service, datetime] | None:
    """The service of a number, and the database's time; None: no such service. 1 query."""
    found = _SERVICE.get(primary.alias(), [number])
    if found is None:
        return None
    (service,), now = found
    clock.watch(now)
    return service, now


_SERVICE: Final = JoinedQuery(
    "FROM grant_management_service AS asked WHERE asked.id = %s AND asked.deleted_at IS NULL",
    Part(Service, "asked", repeats=True),
)
_ASKED: Final = Part(
    Service,
    "asked",
    without=(
        "actions_supported",
        "action_required",
        "access_token_duration",
        "refresh_token_duration",
        "self_service_origins",
        "deleted_at",
    ),
    repeats=True,
)
# `without`: columns that the checks of a call do not need.
_API_TOKEN: Final = Part(
    ApiToken,
    "api_token",
    without=("digest", "description", "created_at", "created_by"),
    repeats=True,
)
_CALLED: Final = (
    "grant_management_apitoken AS api_token"
    " LEFT JOIN grant_management_service AS asked"
    " ON asked.organization_id = api_token.organization_id AND asked.id = %s"
    " AND asked.deleted_at IS NULL"
)
# Outer joins: one statement also tells which of the credentials is unknown.
_PRESENTED: Final = JoinedQuery(
    f"FROM {_CALLED}"
    " LEFT JOIN grant_management_accesstoken AS token"
    " ON token.service_id = asked.id AND token.digest = %s"
    f" {CLIENT_AND_GRANT} WHERE api_token.digest = %s",
    _API_TOKEN,
    _ASKED,
    *token_parts(AccessToken),
)
# The same in two parts, where the service lives apart from the API tokens.
_CALLER: Final = JoinedQuery(f"FROM {_CALLED} WHERE api_token.digest = %s", _API_TOKEN, _ASKED)
_OWNED: Final = JoinedQuery(
    "FROM grant_management_service AS asked"
    " LEFT JOIN grant_management_accesstoken AS token"
    " ON token.service_id = asked.id AND token.digest = %s"
    f" {CLIENT_AND_GRANT} WHERE asked.id = %s AND asked.organization_id = %s"
    " AND asked.deleted_at IS NULL",
    _ASKED,
    *token_parts(AccessToken),
)
