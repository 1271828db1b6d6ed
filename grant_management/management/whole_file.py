"""Files that are there as a whole, or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def whole_file(path: str) -> Iterator[TextIO]:
    """A text file to write, private to its owner. It gets its name once all of it is on disk.

    Until then it is a hidden file beside `path`, and what was at `path` before is untouched. A
    process that is killed leaves the hidden file behind.
    """
    folder, name = os.path.split(os.path.abspath(path))
    # A long name is cut off: with prefix and suffix it could exceed what a file system takes.
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
    """Put the name on disk too, where the system supports that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
