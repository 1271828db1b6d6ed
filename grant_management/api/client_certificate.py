"""The client's certificate, as a trusted proxy hands it on in a header."""

import ipaddress
from typing import Any, Final

from django.http import HttpRequest

from ..conf import app_settings
from . import server

Network = Any  # ipaddress.IPv4Network | ipaddress.IPv6Network, of one version with its addresses


_MAPPED: Final = 96
"""Bits in front of an IPv4 address that is written as an IPv6 one."""


def client_certificate(request: HttpRequest) -> str:
    """What a trusted proxy says of the client's certificate, or ""."""
    name, address = app_settings.client_certificate_header, request.META.get("REMOTE_ADDR", "")
    if not name or not is_trusted(address, app_settings.trusted_proxies):
        return ""
    if has_two_spellings() and server.folds_underscores(request.META):
        return ""
    return request.headers.get(name, "")


def has_two_spellings() -> bool:
    """Whether a client could send the certificate's header past a proxy that strips it: WSGI has
    one name for `X-Client-Cert` and `X_Client_Cert`.
    """
    name = str(app_settings.client_certificate_header or "")
    return ("-" in name or "_" in name) and not app_settings.underscores_are_dropped


def is_trusted(address: str, networks: list[str]) -> bool:
    """Whether an address is in one of the networks; an IPv4 one also as IPv6 writes it."""
    try:
        remote = _unmapped(ipaddress.ip_network(address.partition("%")[0]))  # RFC 4007 §11.2
    except ValueError:
        return False
    trusted = (_unmapped(ipaddress.ip_network(network)) for network in networks)
    return any(remote.version == one.version and remote.subnet_of(one) for one in trusted)


def _unmapped(network: Network) -> Network:
    """`10.0.0.0/8` for `::ffff:10.0.0.0/104`, as a socket for both has it (RFC 4291 §2.5.5.2)."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _MAPPED:
        return network
    return ipaddress.IPv4Network((mapped, network.prefixlen - _MAPPED))
