"""Addresses that a webhook may be sent to: globally routable, whatever is embedded in them."""

from ipaddress import IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grant_management.protocol.addresses import may_send_to


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public(address):
    assert may_send_to(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "64:ff9b:1::808:808",
        "64:ff9b:1:a00:1:0:808:808",
        "::808:808",
        "2001:0:808:808::f7f7:f7f7",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001:0:7f00:1::1",
        "2001:0:808:808:0:0:80ff:fffe",
        "192.0.0.8",
        "192.0.0.9",
        "192.88.99.1",
        "3fff::1",
        "5f00::1",
        "2606:4700:4700::5efe:a00:1",
        "2606:4700:4700::200:5efe:7f00:1",
        "no address",
        "",
    ],
)
def test_not_public(address):
    assert not may_send_to(address)


@pytest.mark.parametrize(
    ("address", "networks", "may"),
    [
        ("10.0.0.1", ["10.0.0.0/8"], True),
        ("10.0.0.1", ["10.1.0.0/16"], False),
        ("::ffff:10.0.0.1", ["10.0.0.0/8"], True),
        ("fd00::1", ["fd00::/8", "10.0.0.0/8"], True),
        ("127.0.0.1", ["10.0.0.0/8"], False),
        ("::1", ["::1/128"], True),
        ("::127.0.0.1", ["::/96"], False),
        ("2001:0:a00:1::f7f7:f7f7", ["10.0.0.0/8"], False),
        ("2002:a00:1::1", ["2002::/16"], False),
        ("64:ff9b:1::a00:1", ["10.0.0.0/8"], False),
        ("64:ff9b:1::a00:1", ["64:ff9b:1::/48"], True),
    ],
)
def test_networks_that_are_allowed(address, networks, may):
    assert may_send_to(address, networks) is may


EMBEDDING = {
    "mapped": lambda inner: (0xFFFF << 32) | inner,
    "compatible": lambda inner: inner,
    "6to4": lambda inner: (0x2002 << 112) | (inner << 80) | 1,
    "Teredo, its server": lambda inner: (0x2001_0000 << 96) | (inner << 64) | (0x0808_0808 ^ ALL),
    "Teredo, its client": lambda inner: (0x2001_0000_0808_0808 << 64) | (inner ^ ALL),
    "NAT64": lambda inner: (0x0064_FF9B << 96) | inner,
}
"""Where an IPv6 address has an IPv4 one, by the form (RFC 4291, 3056, 4380, 6052)."""
ALL = 0xFFFF_FFFF
LOCAL_USE = IPv6Network("64:ff9b:1::/48")


@pytest.mark.parametrize("form", EMBEDDING)
@given(inner=st.ip_addresses(v=4))
def test_an_address_is_no_more_public_than_the_one_in_it(form, inner):
    outer = IPv6Address(EMBEDDING[form](int(inner)))
    assert may_send_to(str(inner)) or not may_send_to(str(outer))


@given(rest=st.integers(0, LOCAL_USE.num_addresses - 1))
def test_the_prefix_for_local_use_is_refused_whatever_is_in_it(rest):
    """RFC 8215 §4: each site chooses where the IPv4 address is in it (RFC 6052 §2.2)."""
    assert not may_send_to(str(LOCAL_USE[rest]))


@given(inner=st.ip_addresses(v=4, network="8.0.0.0/8"))
def test_the_forms_that_networks_use_for_public_addresses_are_public(inner):
    assert may_send_to(str(IPv6Address(EMBEDDING["mapped"](int(inner)))))
    assert may_send_to(str(IPv6Address(EMBEDDING["NAT64"](int(inner)))))
