"""Primary keys."""

import secrets
import time
import uuid

MAX_NUMBER = 2**53 - 1
"""The largest number that every JSON reader keeps exact."""


def random_number() -> int:
    """A number for an organization, a service or a client: 1 to 2^53-1, guessed by nobody."""
    return secrets.randbelow(MAX_NUMBER) + 1


def uuid7() -> uuid.UUID:
    """A UUID whose order is the order of time, to the millisecond (RFC 9562 §5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62) << 64
    return uuid.UUID(int=value | 0b10 << 62 | random & (1 << 62) - 1)
