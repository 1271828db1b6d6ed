"""The admin: read-only pages for each model, and the actions of operators."""

from .api_token import ApiTokenAdmin
from .call import CallAdmin
from .client import ClientAdmin
from .client_profile import ClientProfileAdmin
from .description import DescriptionAdmin
from .grant import GrantAdmin
from .grant_event import GrantEventAdmin
from .nonce import DPoPNonceAdmin
from .organization import OrganizationAdmin
from .organization_event import OrganizationEventAdmin
from .organization_member import OrganizationMemberAdmin
from .overview import OverviewAdmin
from .service import ServiceAdmin
from .stream import StreamAdmin
from .sweep import SweepAdmin
from .time_zone import OperatorPreferenceAdmin
from .token import AccessTokenAdmin, RefreshTokenAdmin
from .webhook import WebhookAdmin
from .webhook_delivery import WebhookDeliveryAdmin

__all__ = [
    "AccessTokenAdmin",
    "ApiTokenAdmin",
    "CallAdmin",
    "ClientAdmin",
    "ClientProfileAdmin",
    "DPoPNonceAdmin",
    "DescriptionAdmin",
    "GrantAdmin",
    "GrantEventAdmin",
    "OperatorPreferenceAdmin",
    "OrganizationAdmin",
    "OrganizationEventAdmin",
    "OrganizationMemberAdmin",
    "OverviewAdmin",
    "RefreshTokenAdmin",
    "ServiceAdmin",
    "StreamAdmin",
    "SweepAdmin",
    "WebhookAdmin",
    "WebhookDeliveryAdmin",
]
