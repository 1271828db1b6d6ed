"""The admin: the nouns of the models, to be seen, and what an operator does to them."""

from .api_token import ApiTokenAdmin
from .grant import GrantAdmin
from .tenants import ClientAdmin, OrganizationAdmin, OrganizationMemberAdmin, ServiceAdmin
from .token import AccessTokenAdmin, RefreshTokenAdmin
from .trail import DPoPNonceAdmin, GrantEventAdmin

__all__ = [
    "AccessTokenAdmin",
    "ApiTokenAdmin",
    "ClientAdmin",
    "DPoPNonceAdmin",
    "GrantAdmin",
    "GrantEventAdmin",
    "OrganizationAdmin",
    "OrganizationMemberAdmin",
    "RefreshTokenAdmin",
    "ServiceAdmin",
]
