"""The address that a request comes from, behind proxies or not."""

import ipaddress
from typing import Final

from grant_management.api.client_address import client_address

__all__ = ["client_address", "network_of"]

IPV6_SITE: Final = 64
"""Bits of an IPv6 address that one subscriber cannot change: the rest is its own to choose."""


def network_of(address: str) -> str:
    """The network whose clients count as one: an IPv4 address itself, the /64 of an IPv6 address.

    What is no address is returned as it is, at most 100 characters of it.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_SITE), strict=False))
