"""Primary keys."""

import secrets
import time
import uuid
from datetime import datetime

from ..protocol import times
from ..protocol.numbers import MAX_NUMBER


def random_number() -> int:
    """A number for an organization, a service or a client: 1 to 2^53-1, guessed by nobody."""
    return secrets.randbelow(MAX_NUMBER) + 1


def uuid7(at: datetime | None = None) -> uuid.UUID:
    """A UUID whose order is the order of time, to the millisecond (RFC 9562 §5.7): of now, or of
    another moment.
    """
    milliseconds = time.time_ns() // 1_000_000 if at is None else times.to_milliseconds(at)
    return _uuid7(milliseconds, secrets.randbits(74))


def uuid7s(number: int) -> list[uuid.UUID]:
    """So many of now, with one read of random bytes.

    Each read lets go of the interpreter: where another thread waits for it, a read for each would
    cost more than all else that makes a row.
    """
    milliseconds, drawn = time.time_ns() // 1_000_000, secrets.token_bytes(10 * number)
    parts = (drawn[at : at + 10] for at in range(0, len(drawn), 10))
    return [_uuid7(milliseconds, int.from_bytes(part) >> 6) for part in parts]


def first_uuid7(at: datetime) -> uuid.UUID:
    """The smallest that is made from that moment on."""
    return _uuid7(times.to_milliseconds(at), 0)


def _uuid7(milliseconds: int, random: int) -> uuid.UUID:
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62) << 64
    return uuid.UUID(int=value | 0b10 << 62 | random & (1 << 62) - 1)
