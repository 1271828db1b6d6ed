"""Which IP addresses this server may send to: those that everybody can reach."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

_NAT64: Final = IPv6Network("64:ff9b::/96")
"""RFC 6052 §2.1: the last 32 bits are an IPv4 address.

In RFC 8215's prefix each site chooses where the IPv4 address is, so that one is an ordinary private
network here.
"""
_COMPATIBLE: Final = IPv6Network("::/96")
"""RFC 4291 §2.5.5.1, deprecated: likewise, but for `::` and `::1`."""


_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""RFC 5214 §6.1: where an interface identifier begins so, its last 32 bits are an IPv4 address."""
_SPECIAL: Final = tuple(
    ip_network(one) for one in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "5f00::/16")
)
"""Networks of IANA's registries of special purposes that not every Python knows: RFC 6890 §2.2.2,
RFC 7526 §6, RFC 9637 §5, RFC 9602 §7.
"""


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
        _is_public(one) or any(one in network for network in networks) for one in _judged(address)
    )


def _is_public(address: Address) -> bool:
    # Python calls some multicast addresses and the deprecated site-local ones global.
    local = address.is_multicast or address.is_reserved or address.is_unspecified
    local |= getattr(address, "is_site_local", False)
    local |= any(address in network for network in _SPECIAL)
    return address.is_global and not local


def _judged(address: Address) -> Iterator[Address]:
    """The addresses that all have to be reachable: the address, and those embedded in it.

    An IPv4-mapped address, and one of NAT64, are only another way to write the IPv4 address.
    """
    if not isinstance(address, IPv6Address):
        yield address
    elif address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64:
        yield _last_32_bits(address)
    else:
        yield address
        yield from _embedded(address)


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses in an IPv6 one: of 6to4, Teredo (two), ISATAP, and IPv4-compatible."""
    if address.sixtofour is not None:
        yield address.sixtofour
    yield from address.teredo or ()
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        yield _last_32_bits(address)
    if address in _COMPATIBLE and int(address) > 1:
        yield _last_32_bits(address)


def _last_32_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)
