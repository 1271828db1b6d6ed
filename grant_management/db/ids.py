"""Primary keys."""

import secrets
import time
import uuid
from datetime import datetime
from typing import Final

from ..protocol import times
from ..protocol.numbers import MAX_NUMBER


def random_number() -> int:
    """A number for an organization, a service or a client: 1 to 2^53-1, not guessable."""
    return secrets.randbelow(MAX_NUMBER) + 1


def uuid7(at: datetime | None = None) -> uuid.UUID:
    """A version 7 UUID (RFC 9562 §5.7): UUIDs sort by time, to the microsecond. `at` None: now."""
    return _uuid7(_nanoseconds(at), secrets.randbits(62))


def uuid7s(number: int) -> list[uuid.UUID]:
    """As many version 7 UUIDs of now, from one read of random bytes.

    Each read releases the interpreter lock: if another thread waits for the lock, one read for each
    UUID costs more than everything else about making a row.
    """
    now, drawn = _nanoseconds(None), secrets.token_bytes(8 * number)
    parts = (drawn[at : at + 8] for at in range(0, len(drawn), 8))
    # A part has 64 bits, of which a UUID takes 62.
    return [_uuid7(now, int.from_bytes(part) >> 2) for part in parts]


def first_uuid7(at: datetime) -> uuid.UUID:
    """The smallest UUID that `uuid7` can make at that moment: a lower bound for keys."""
    return _uuid7(times.to_milliseconds(at) * _MILLISECOND, 0)


def _nanoseconds(at: datetime | None) -> int:
    """Since 1970; None: now."""
    return time.time_ns() if at is None else times.to_microseconds(at) * 1_000


def _uuid7(nanoseconds: int, random: int) -> uuid.UUID:
    # 48 bits of time, version 7, 12 bits of the time within the millisecond (RFC 9562 §6.2, method
    # 3), variant 10, 62 random bits.
    milliseconds, rest = divmod(nanoseconds, _MILLISECOND)
    fraction = rest * (1 << 12) // _MILLISECOND
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64
    return uuid.UUID(int=value | 0b10 << 62 | random)


_MILLISECOND: Final = 1_000_000
"""In nanoseconds."""
