"""The tables: one noun, one file."""

from .api_token import ApiToken
from .client import Client
from .event import Actor, EventKind, GrantEvent, Reason
from .grant import Grant, GrantStatus
from .idempotency import IdempotencyKey
from .membership import OrganizationMember
from .nonce import DPoPNonce, Nonces
from .organization import Organization
from .proof import UsedProof
from .service import Ownership, Service
from .token import AccessToken, RefreshToken, TokenStatus

__all__ = [
    "AccessToken",
    "Actor",
    "ApiToken",
    "Client",
    "DPoPNonce",
    "EventKind",
    "Grant",
    "GrantEvent",
    "GrantStatus",
    "IdempotencyKey",
    "Nonces",
    "Organization",
    "OrganizationMember",
    "Ownership",
    "Reason",
    "RefreshToken",
    "Service",
    "TokenStatus",
    "UsedProof",
]
