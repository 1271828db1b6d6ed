"""A network namespace for each node, so that its packets can be dropped. It takes root.

The nodes hang on a bridge. A port of the bridge that is disabled drops every packet, and neither
side is told: so does a machine that lost its power, or a cable.
"""

import os
import subprocess
from typing import Final

from .programs import OF_ROOT, to_install

BRIDGE: Final = "gm-cluster"
ROOT_HOST: Final = "10.213.57.1"
MEMBER_HOSTS: Final = ["10.213.57.11", "10.213.57.12", "10.213.57.13"]
NETWORK: Final = "10.213.57.0/24"
DISABLED, FORWARDING = "0", "3"
"""States of a port of a bridge."""


def make() -> None:
    """Make the bridge and the namespaces; what was left of earlier ones is removed first.

    RuntimeError: a cluster runs in them. All have the same names and addresses.
    """
    if _is_used():
        raise RuntimeError(
            "A cluster that root started runs already, perhaps in another folder: end it first."
        )
    remove()
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("addr", "add", f"{ROOT_HOST}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")
    for number, host in enumerate(MEMBER_HOSTS):
        _make_member(f"node{number + 1}", host)


def _make_member(name: str, host: str) -> None:
    space, inside, outside = _names(name)
    _ip("netns", "add", space)
    _ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", space)
    _ip("link", "set", outside, "master", BRIDGE)
    _ip("link", "set", outside, "up")
    for line in (f"addr add {host}/24 dev {inside}", f"link set {inside} up", "link set lo up"):
        _ip("-n", space, *line.split())


def remove() -> None:
    """Remove what `make` made, as far as it is there."""
    for number in range(len(MEMBER_HOSTS)):
        space, _, outside = _names(f"node{number + 1}")
        _ip("link", "del", outside, must=False)
        _ip("netns", "del", space, must=False)
    _ip("link", "del", BRIDGE, must=False)


def inside(name: str) -> list[str]:
    """The start of a command line that runs in the namespace of a node."""
    return ["ip", "netns", "exec", _names(name)[0]]


def cut(name: str) -> None:
    """Drop every packet from and to a node."""
    _bridge(name, DISABLED)


def mend(name: str) -> None:
    """Let its packets through again."""
    _bridge(name, FORWARDING)


def why_not() -> str:
    """Why no namespaces can be made here; "": they can."""
    if os.geteuid():
        return "it takes root: each node needs a network namespace of its own"
    if missing := to_install(OF_ROOT):
        return f"it takes network namespaces, and a program is missing. {missing}"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return "this machine allows no network namespaces" if tried.returncode else ""


def _is_used() -> bool:
    """Whether a process runs in one of the namespaces."""
    spaces = [_names(f"node{number + 1}")[0] for number in range(len(MEMBER_HOSTS))]
    return any(_pids(space) for space in spaces)


def _pids(space: str) -> bytes:
    line = ["ip", "netns", "pids", space]
    return subprocess.run(line, capture_output=True, check=False).stdout.strip()


def _names(name: str) -> tuple[str, str, str]:
    return f"{BRIDGE}-{name}", "eth0", f"gmc-{name}"


def _bridge(name: str, state: str) -> None:
    line = ["bridge", "link", "set", "dev", _names(name)[2], "state", state]
    subprocess.run(line, check=True, capture_output=True)


def _ip(*arguments: str, must: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=must, capture_output=True)
