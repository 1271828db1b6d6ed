"""A file that is there as a whole, or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def whole_file(path: str) -> Iterator[TextIO]:
    """A file to write; it has its name once all of it is on disk, and only its owner can read it.

    Until then it stands beside that name, hidden. Whoever is killed leaves it there, and what was
    at `path` before is untouched.
    """
    folder, name = os.path.split(os.path.abspath(path))
    descriptor, part = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".part", dir=folder)
    try:
        with open(descriptor, "w", encoding="utf-8") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
    _keep_name(folder)


def _keep_name(folder: str) -> None:
    """The name is on disk too, where the system knows how."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
