"""Addresses that a webhook may be sent to: globally routable, whatever is embedded in them."""

import pytest

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
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001:0:7f00:1::1",
        "2001:0:808:808:0:0:80ff:fffe",
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
    ],
)
def test_networks_that_are_allowed(address, networks, may):
    assert may_send_to(address, networks) is may
