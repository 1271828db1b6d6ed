"""allauth's adapter, which knows of grants: for introspection and metadata."""

from typing import Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import Client, Token

from grant_management.contrib.bridge.scopes import SCOPES
from grant_management.metadata import authorization_server_metadata
from grant_management.protocol.times import to_seconds

from . import registered, rows
from .models import LinkedToken


class GrantManagementMixin:
    """For an adapter of your own: put it before `DefaultOIDCAdapter`."""

    scope_display = DefaultOIDCAdapter.scope_display | SCOPES
    """What the consent page says in the place of a scope."""

    def is_introspection_allowed(self, token: Token, *, caller_client: Client) -> bool:
        """Whether the token is alive here, and the adapter allows the caller to ask."""
        allowed: bool = super().is_introspection_allowed(  # type: ignore[misc]
            token, caller_client=caller_client
        )
        return allowed and registered.lives(token)

    def populate_introspection_response(self, *, response: dict[str, Any], token: Token) -> None:
        """`exp` is no later than the end of the token here; `grant_id` names its grant."""
        super().populate_introspection_response(response=response, token=token)  # type: ignore[misc]
        link = LinkedToken.objects.filter(token=token.pk).first()
        found = None if link is None else registered.our_row(link, token.type)
        if found is None:
            return
        if found.grant is not None:
            response["grant_id"] = found.grant.grant_id
        ends = found.ends_at()
        if ends is not None:
            response["exp"] = min(response.get("exp", to_seconds(ends)), to_seconds(ends))

    def populate_server_metadata(self, data: dict[str, Any]) -> None:
        """Add the members of draft §7.1, and the two scopes."""
        super().populate_server_metadata(data)  # type: ignore[misc]
        ours = authorization_server_metadata(rows.SERVER.service())
        data.update({name: ours[name] for name in ours if name.startswith("grant_management")})
        scopes = data.get("scopes_supported", [])
        data["scopes_supported"] = [*scopes, *(one for one in SCOPES if one not in scopes)]


class GrantManagementAdapter(GrantManagementMixin, DefaultOIDCAdapter):  # type: ignore[misc]
    """`IDP_OIDC_ADAPTER` for a project without an adapter of its own."""
