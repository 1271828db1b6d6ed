"""The tables: one noun, one file."""

from ..db.counting import COUNT_LIMIT, bounded_count, shown_number
from .api_token import ApiToken
from .call import Call
from .client import Client
from .client_profile import ClientProfile
from .credentials import Credentials
from .daily_count import DailyCount, Tally
from .description import Described, Description, Sensitivity
from .event import Actor, EventKind, GrantEvent, Reason
from .event_chain import EventChain, EventLink
from .grant import Grant, GrantStatus
from .grant_filter import EmptyFilter, GrantFilter
from .hourly_count import HourlyCount
from .idempotency_key import IdempotencyKey
from .logo import Logo
from .nonce import DPoPNonce, Nonces
from .operator_preference import OperatorPreference
from .organization import Organization
from .organization_event import OrganizationEvent
from .organization_member import OrganizationMember
from .outbox import OutboxEntry
from .purge_run import PurgeRun
from .saved_view import ListColumns, SavedView
from .self_service_token import Access, SelfServiceToken
from .service import Ownership, Service
from .signing_key import SigningKey
from .stream import Stream, StreamStatus
from .stream_delivery import StreamDelivery, StreamDisabled
from .stream_subject import StreamSubject
from .sweep import Sweep, SweepStatus
from .token import AccessToken, RefreshToken, TokenStatus
from .used_proof import UsedProof
from .webhook import Webhook
from .webhook_attempt import WebhookAttempt
from .webhook_delivery import WebhookDelivery

__all__ = [
    "COUNT_LIMIT",
    "Access",
    "AccessToken",
    "Actor",
    "ApiToken",
    "Call",
    "Client",
    "ClientProfile",
    "Credentials",
    "DPoPNonce",
    "DailyCount",
    "Described",
    "Description",
    "EmptyFilter",
    "EventChain",
    "EventKind",
    "EventLink",
    "Grant",
    "GrantEvent",
    "GrantFilter",
    "GrantStatus",
    "HourlyCount",
    "IdempotencyKey",
    "ListColumns",
    "Logo",
    "Nonces",
    "OperatorPreference",
    "Organization",
    "OrganizationEvent",
    "OrganizationMember",
    "OutboxEntry",
    "Ownership",
    "PurgeRun",
    "Reason",
    "RefreshToken",
    "SavedView",
    "SelfServiceToken",
    "Sensitivity",
    "Service",
    "SigningKey",
    "Stream",
    "StreamDelivery",
    "StreamDisabled",
    "StreamStatus",
    "StreamSubject",
    "Sweep",
    "SweepStatus",
    "Tally",
    "TokenStatus",
    "UsedProof",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
    "bounded_count",
    "shown_number",
]
