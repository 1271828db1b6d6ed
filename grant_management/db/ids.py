"""Primary keys."""

import secrets
import time
import uuid
from datetime import datetime

from ..protocol import times
from ..protocol.numbers import MAX_NUMBER


def random_number() -> int:
    """A number for an organization, a service or a client: 1 to 2^53-1, not guessable."""
    return secrets.randbelow(MAX_NUMBER) + 1


def uuid7(at: datetime | None = None) -> uuid.UUID:
    """A version 7 UUID (RFC 9562 §5.7): UUIDs sort by time, to the millisecond. `at` None: now."""
    milliseconds = time.time_ns() // 1_000_000 if at is None else times.to_milliseconds(at)
    return _uuid7(milliseconds, secrets.randbits(74))


def uuid7s(number: int) -> list[uuid.UUID]:
    """As many version 7 UUIDs of now, from one read of random bytes.

    Each read releases the interpreter lock: if another thread waits for the lock, one read for each
    UUID costs more than everything else about making a row.
    """
    milliseconds, drawn = time.time_ns() // 1_000_000, secrets.token_bytes(10 * number)
    parts = (drawn[at : at + 10] for at in range(0, len(drawn), 10))
    # A part has 80 bits, of which a UUID takes 74.
    return [_uuid7(milliseconds, int.from_bytes(part) >> 6) for part in parts]


def first_uuid7(at: datetime) -> uuid.UUID:
    """The smallest UUID that `uuid7` can make at that moment: a lower bound for keys."""
    return _uuid7(times.to_milliseconds(at), 0)


def _uuid7(milliseconds: int, random: int) -> uuid.UUID:
    # 48 bits of time, version 7, 12 random bits, variant 10, 62 random bits.
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62) << 64
    return uuid.UUID(int=value | 0b10 << 62 | random & (1 << 62) - 1)
