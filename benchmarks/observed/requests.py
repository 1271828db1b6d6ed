"""The kinds of calls, and the part of their answers that shows that they were done."""

from collections.abc import Callable
from typing import NamedTuple

from .. import store, targets

STRIDE = 10
"""Grants for each call of a kind: a grant's last digit says which kind it is for; 9 are dead."""


class Kind(NamedTuple):
    """`digit`: of the grants that these calls are about."""

    digit: int
    request: Callable[[int], bytes]
    expected: bytes


def _query(number: int) -> bytes:
    return targets.numbered([number], "QUERY")[0]


def _revoke(number: int) -> bytes:
    return targets.numbered([number], "REVOKE")[0]


KINDS = {
    "QUERY": Kind(0, _query, b'"OK"'),
    "REVOKE": Kind(1, _revoke, b"NO_CONTENT"),
    "create": Kind(2, store.new_grant, b"grantId"),
    "refresh": Kind(3, store.refreshed, b"refreshToken"),
}


def of(kind: str, number: int, count: int) -> list[bytes]:
    """The calls of a kind in a round, each about a grant that no other call is about."""
    one = KINDS[kind]
    places = range(number * count, (number + 1) * count)
    return [one.request(place * STRIDE + one.digit) for place in places]
