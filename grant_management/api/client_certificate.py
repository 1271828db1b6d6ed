"""The client's certificate, as a trusted proxy passes it on in a header."""

import ipaddress
from typing import Any, Final

from django.http import HttpRequest

from ..conf import app_settings
from . import server

Network = Any  # IPv4Network | IPv6Network: `subnet_of` does not type-check on the union


_MAPPED: Final = 96
"""Bits before the IPv4 address in an IPv4-mapped IPv6 address."""


def client_certificate(request: HttpRequest) -> str:
    """The client's certificate as a trusted proxy wrote it into the header, not yet parsed, or "".

    It is "" where no header is configured, where the peer is not a trusted proxy, and where the
    server merges the header with one of another spelling, which a client may have sent.
    """
    name, address = app_settings.client_certificate_header, request.META.get("REMOTE_ADDR", "")
    if not name or not is_trusted(address, app_settings.trusted_proxies):
        return ""
    if has_two_spellings() and server.folds_underscores(request.META):
        return ""
    return request.headers.get(name, "")


def has_two_spellings() -> bool:
    """Whether the certificate's header has a second spelling, which a proxy may let through.

    WSGI has one name for `X-Client-Cert` and `X_Client_Cert`: where a proxy strips only one of
    them, a client can send the other. False where `UNDERSCORES_ARE_DROPPED` is set.
    """
    name = str(app_settings.client_certificate_header or "")
    return ("-" in name or "_" in name) and not app_settings.underscores_are_dropped


def is_trusted(address: str, networks: list[str]) -> bool:
    """Whether an address is in one of the networks. IPv4 may be written as IPv4-mapped IPv6.

    An address that cannot be parsed, such as "", is in none.
    """
    try:
        # Without its zone, which follows a % (RFC 4007 §11.2).
        remote = _unmapped(ipaddress.ip_network(address.partition("%")[0]))
    except ValueError:
        return False
    trusted = (_unmapped(ipaddress.ip_network(network)) for network in networks)
    return any(remote.version == one.version and remote.subnet_of(one) for one in trusted)


def _unmapped(network: Network) -> Network:
    """`10.0.0.0/8` for `::ffff:10.0.0.0/104` (RFC 4291 §2.5.5.2); any other network as it is.

    A socket that listens on both IPv4 and IPv6 reports IPv4 addresses in the mapped form.
    """
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _MAPPED:
        return network
    return ipaddress.IPv4Network((mapped, network.prefixlen - _MAPPED))
