"""Metadata of an authorization server: draft §7.1, RFC 9449 §5.1, RFC 8414."""

from typing import Any

from .models import Service


def authorization_server_metadata(service: Service) -> dict[str, Any]:
    """The metadata members of this app, to be merged into the server's own.

    `grant_management_endpoint` is left out where the service has none.
    """
    members: dict[str, Any] = {
        "grant_management_actions_supported": service.actions_supported,
        "grant_management_endpoint": service.grant_management_endpoint,
        "grant_management_action_required": service.action_required,
        "dpop_signing_alg_values_supported": service.dpop_signing_algs,
    }
    return {name: value for name, value in members.items() if value != ""}


def issuer(service: Service) -> str:
    """The issuer whose metadata this app serves: `Service.issuer`.

    An authorization server that has an issuer of its own serves its own metadata, with the members
    above.
    """
    return service.issuer
