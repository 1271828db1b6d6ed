"""The secret key of this checkout: made once, and only its owner can read it."""

import os
import secrets
import sys
import tempfile
from pathlib import Path

from ..database.private_files import mend
from ..serving.children import noting
from .paths import ROOT

KEY_FILE = ROOT / ".secret_key"


def own_key() -> str:
    """The key; it is made where there is none. SystemExit: it cannot be written."""
    try:
        if not KEY_FILE.exists():
            with noting() as noted:
                _make(KEY_FILE)
            noted.exit()
        mend(KEY_FILE)
        return KEY_FILE.read_text().strip()
    except OSError as error:
        sys.exit(
            f"The secret key cannot be kept in {KEY_FILE} ({error.strerror}): set SECRET_KEY to 50"
            " random characters."
        )


def _make(path: Path) -> None:
    """Write a new key, unless another process was first.

    It is linked into place as a whole, so that no process reads half a key.
    """
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}-", dir=path.parent)
    try:
        with open(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(50))
        os.link(name, path)
    except FileExistsError:
        return
    finally:
        os.unlink(name)
