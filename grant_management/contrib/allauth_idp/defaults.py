"""Settings of a server with grant management: import them, and add your own."""

from typing import Final

APPS: Final = (
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
    "grant_management",
    "grant_management.contrib.allauth_idp",
)
"""For `INSTALLED_APPS` of a project that has none of these."""

IDP_OIDC_ADAPTER: Final = "grant_management.contrib.allauth_idp.adapter.GrantManagementAdapter"
"""allauth's setting: the adapter by which introspection and metadata know of grants."""
