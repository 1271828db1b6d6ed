"""The tables: one noun, one file."""

from .api_token import ApiToken
from .call import Call
from .client import Client
from .daily_count import DailyCount, Tally
from .event import Actor, EventKind, GrantEvent, Reason
from .grant import Grant, GrantStatus
from .grant_filter import COUNT_LIMIT, EmptyFilter, GrantFilter, bounded_count, shown_number
from .idempotency import IdempotencyKey
from .membership import OrganizationMember
from .nonce import DPoPNonce, Nonces
from .organization import Organization
from .organization_event import OrganizationEvent
from .presented import Presented
from .proof import UsedProof
from .service import Ownership, Service
from .sweep import Sweep, SweepStatus
from .token import AccessToken, RefreshToken, TokenStatus

__all__ = [
    "COUNT_LIMIT",
    "AccessToken",
    "Actor",
    "ApiToken",
    "Call",
    "Client",
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
    "Presented",
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
