"""The admin: the nouns of the models, to be seen, and what an operator does to them."""

from .api_token import ApiTokenAdmin
from .call import CallAdmin
from .grant import GrantAdmin
from .member import OrganizationMemberAdmin
from .organization_event import OrganizationEventAdmin
from .overview import OverviewAdmin
from .sweep import SweepAdmin
from .tenants import ClientAdmin, OrganizationAdmin, ServiceAdmin
from .token import AccessTokenAdmin, RefreshTokenAdmin
from .trail import DPoPNonceAdmin, GrantEventAdmin

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
