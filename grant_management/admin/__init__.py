"""The admin: the nouns of the models, to be seen; and one thing to be done, to revoke a grant."""

from .grant import GrantAdmin
from .tenants import ApiTokenAdmin, ClientAdmin, OrganizationAdmin, ServiceAdmin
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
    "RefreshTokenAdmin",
    "ServiceAdmin",
]
