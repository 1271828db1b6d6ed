"""The address that a request comes from, behind proxies or not."""

import ipaddress
from typing import Final

from django.http import HttpRequest

from grant_management.api import server
from grant_management.api.client_certificate import is_trusted
from grant_management.conf import app_settings

IPV6_SITE: Final = 64
"""Bits of an IPv6 address that one subscriber cannot change: the rest is its own to choose."""


def client_address(request: HttpRequest) -> str:
    """REMOTE_ADDR, or where that is a trusted proxy, what it added to X-Forwarded-For.

    Each proxy appends the address of its peer, so the list is read from the right: the first that
    is no trusted proxy is the client's, and what stands before it may be invented. The header is
    ignored where the server merges it with `X_Forwarded_For`, which a client may send.
    """
    remote: str = request.META.get("REMOTE_ADDR", "")
    proxies = app_settings.trusted_proxies
    merged = server.folds_underscores(request.META) and not app_settings.underscores_are_dropped
    told = "" if merged else request.META.get("HTTP_X_FORWARDED_FOR", "")
    for address in reversed([part.strip() for part in told.split(",") if part.strip()]):
        if not is_trusted(remote, proxies):
            break
        remote = address
    return remote


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
