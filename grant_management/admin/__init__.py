"""The admin: the nouns of the models, to be seen, and what an operator does to them."""

from .api_token import ApiTokenAdmin
from .call import CallAdmin
from .grant import GrantAdmin
from .overview import OverviewAdmin
from .sweep import SweepAdmin
from .tenants import ClientAdmin, OrganizationAdmin, OrganizationMemberAdmin, ServiceAdmin
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
    "OrganizationMemberAdmin",
    "OverviewAdmin",
    "RefreshTokenAdmin",
    "ServiceAdmin",
    "SweepAdmin",
]
