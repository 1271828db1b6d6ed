"""What is told of an event outside of this system: its type, and its payload."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from .strict_json import dumps

TYPES: Final = {
    "created": "grant.created",
    "merged": "grant.merged",
    "replaced": "grant.replaced",
    "revoked": "grant.revoked",
    "refresh_reused": "tokens.reused",
    "tokens_revoked": "tokens.revoked",
    "cut_off": "cut_off.moved",
    "client_locked": "client.locked",
    "client_unlocked": "client.unlocked",
    "client_created": "client.created",
    "client_changed": "client.changed",
    "client_deleted": "client.deleted",
    "description_changed": "description.changed",
    "token_changed": "token.changed",
    "nonce_expired": "nonce.expired",
    "imported": "records.imported",
    "api_token_issued": "api_token.issued",
    "api_token_rotated": "api_token.rotated",
    "api_token_revoked": "api_token.revoked",
    "api_token_changed": "api_token.changed",
    "service_created": "service.created",
    "settings_changed": "service.changed",
    "service_deleted": "service.deleted",
    "job_started": "job.started",
    "job_paused": "job.paused",
    "job_resumed": "job.resumed",
    "job_finished": "job.finished",
    "webhook_created": "webhook.created",
    "webhook_changed": "webhook.changed",
    "webhook_deleted": "webhook.deleted",
    "webhook_key_rotated": "webhook.key_rotated",
    "webhook_disabled": "webhook.disabled",
    "webhook_tested": "webhook.tested",
    "webhook_replayed": "webhook.replayed",
    "stream_created": "stream.created",
    "stream_changed": "stream.changed",
    "stream_deleted": "stream.deleted",
    "stream_verified": "stream.verified",
    "subject_added": "stream.subject_added",
    "subject_removed": "stream.subject_removed",
    "signing_key_rotated": "signing_key.rotated",
}
"""The type of each kind of event of a service, as receivers know it."""


@dataclass(frozen=True, slots=True)
class EventPayload:
    """An event of a service, without credentials, contents of grants, and operators' notes.

    "" and None: the event is about no client, grant or subject in particular. `actor` is the kind
    of whoever made the change, such as `client` or `operator`.
    """

    id: UUID
    type: str
    at: datetime
    service_id: int
    client_id: str
    grant_id: str
    subject: str | None
    actor: str
    reason: str
    request_id: str = ""
    """The `X-Request-ID` of the request that made the change."""

    def as_json(self) -> str:
        """The body of a webhook, in the form of Standard Webhooks: type, timestamp and data.

        Every number is a string where it may be above 2^53. Absent members are left out.
        """
        told = {one.name: one.read(self) for one in MEMBERS}
        data = {name: value for name, value in told.items() if value not in (None, "")}
        return dumps({"type": self.type, "timestamp": self.at.isoformat(), "data": data})


@dataclass(frozen=True, slots=True)
class Member:
    """A member of `data`, which is a string. `is_always`: it is never left out."""

    name: str
    read: Callable[[EventPayload], str | None]
    is_always: bool = False


MEMBERS: Final = (
    Member("eventId", lambda event: str(event.id), is_always=True),
    Member("serviceId", lambda event: str(event.service_id), is_always=True),
    Member("clientId", lambda event: event.client_id),
    Member("grantId", lambda event: event.grant_id),
    Member("subject", lambda event: event.subject),
    Member("actor", lambda event: event.actor, is_always=True),
    Member("reason", lambda event: event.reason),
    Member("requestId", lambda event: event.request_id),
)
"""All that is told of an event besides its type and time; the OpenAPI document is made of it."""
