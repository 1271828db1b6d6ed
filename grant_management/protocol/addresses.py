"""Which IP addresses this server may send to: those that everybody can reach."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
"""RFC 6052 and RFC 8215: the last 32 bits are an IPv4 address."""
_COMPATIBLE: Final = IPv6Network("::/96")
"""RFC 4291 §2.5.5.1, deprecated: likewise."""


def may_send_to(text: str, allowed: Iterable[str] = ()) -> bool:
    """Whether an address, and each IPv4 address embedded in it, is globally routable.

    `allowed` are networks that are permitted besides. False: `text` is no address.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    networks = [ip_network(one) for one in allowed]
    return all(
        _is_public(one) or any(one in network for network in networks)
        for one in (_unmapped(address), *_embedded(address))
    )


def _is_public(address: Address) -> bool:
    # Python calls some multicast addresses and the deprecated site-local ones global.
    local = address.is_multicast or address.is_reserved or address.is_unspecified
    local |= getattr(address, "is_site_local", False)
    return address.is_global and not local


def _unmapped(address: Address) -> Address:
    """The IPv4 address of an IPv4-mapped one; otherwise the address itself, or what it embeds."""
    return next(_embedded(address), address)


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses in an IPv6 one: mapped, 6to4, Teredo, NAT64 and IPv4-compatible."""
    if not isinstance(address, IPv6Address):
        return
    for one in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())):
        if one is not None:
            yield one
    if any(address in network for network in (*_NAT64, _COMPATIBLE)):
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
