"""The tables: one noun, one file."""

from ..db.counting import COUNT_LIMIT, bounded_count, shown_number
from .api_token import ApiToken
from .call import Call
from .client import Client
from .credentials import Credentials
from .daily_count import DailyCount, Tally
from .event import Actor, EventKind, GrantEvent, Reason
from .grant import Grant, GrantStatus
from .grant_filter import EmptyFilter, GrantFilter
from .idempotency_key import IdempotencyKey
from .nonce import DPoPNonce, Nonces
from .organization import Organization
from .organization_event import OrganizationEvent
from .organization_member import OrganizationMember
from .purge_run import PurgeRun
from .service import Ownership, Service
from .sweep import Sweep, SweepStatus
from .token import AccessToken, RefreshToken, TokenStatus
from .used_proof import UsedProof

__all__ = [
    "COUNT_LIMIT",
    "AccessToken",
    "Actor",
    "ApiToken",
    "Call",
    "Client",
    "Credentials",
    "DPoPNonce",
    "DailyCount",
    "EmptyFilter",
    "EventKind",
    "Grant",
    "GrantEvent",
    "GrantFilter",
    "GrantStatus",
    "IdempotencyKey",
    "Nonces",
    "Organization",
    "OrganizationEvent",
    "OrganizationMember",
    "Ownership",
    "PurgeRun",
    "Reason",
    "RefreshToken",
    "Service",
    "Sweep",
    "SweepStatus",
    "Tally",
    "TokenStatus",
    "UsedProof",
    "bounded_count",
    "shown_number",
]
