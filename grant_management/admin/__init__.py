"""The admin: read-only pages for each model, and the actions of operators."""

from .api_token import ApiTokenAdmin
from .call import CallAdmin
from .client import ClientAdmin
from .grant import GrantAdmin
from .grant_event import GrantEventAdmin
from .nonce import DPoPNonceAdmin
from .organization import OrganizationAdmin
from .organization_event import OrganizationEventAdmin
from .organization_member import OrganizationMemberAdmin
from .overview import OverviewAdmin
from .service import ServiceAdmin
from .sweep import SweepAdmin
from .token import AccessTokenAdmin, RefreshTokenAdmin

__all__ = [
    "AccessTokenAdmin",
    "ApiTokenAdmin",
    "CallAdmin",
    "ClientAdmin",
    "DPoPNonceAdmin",
    "GrantAdmin",
    "GrantEventAdmin",
    "OrganizationAdmin",
    "OrganizationEventAdmin",
    "OrganizationMemberAdmin",
    "OverviewAdmin",
    "RefreshTokenAdmin",
    "ServiceAdmin",
    "SweepAdmin",
]
