"""Values of options, as argparse takes them. Needs the standard library alone."""

from argparse import ArgumentTypeError
from typing import Final

MOST_WORKERS: Final = 256


def port_number(text: str) -> int:
    """The port of an option."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 65535):
        raise ArgumentTypeError(f"{text} is no port: name one from 1 to 65535")
    return int(text)


def worker_count(text: str) -> int:
    """The number of processes of an option; 0: by the machine and the database."""
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= MOST_WORKERS):
        raise ArgumentTypeError(
            f"{text} is no number of workers: name one from 1 to {MOST_WORKERS}, or none, and it"
            " depends on the machine"
        )
    return int(text)
