"""A Debian machine of a test's own, with systemd: namespaces over the files of this one.

What is done in it stays in it: it has its own processes, network, users and clock of services, and
what it writes is in memory. It has no way out to a network.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from ..standalone import children, until

SCRIPT = Path(__file__).parent / "machine.sh"
SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
UNSHARE = ("unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork")


def missing(packages):
    """What stands in the way of such a machine with these packages of Debian; "": nothing."""
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("dpkg-query") is None or shutil.which("unshare") is None:
        return "needs Debian"
    line = ["dpkg-query", "--show", "--showformat", "${Package} ${Status}\n", "systemd", *packages]
    said = subprocess.run(line, capture_output=True, text=True).stdout
    there = {one.split()[0] for one in said.splitlines() if one.endswith(" installed")}
    if absent := {"systemd", *packages} - there:
        return f"needs Debian's {', '.join(sorted(absent))}"
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True)
    return "" if tried.returncode == 0 and _cgroups() else "needs namespaces and cgroups"


def _cgroups():
    """The folder of this process in the hierarchy of cgroups v2; None: it cannot be written."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    said = Path("/proc/self/cgroup").read_text()
    own = f"\n{said}".rpartition("\n0::/")[2].strip()
    for _, place, kind, options, *_ in mounts:
        if kind == "cgroup2" and "rw" in options.split(","):
            return Path(place) / own
    return None


class Machine(contextlib.ExitStack):
    """Runs from `with` until its end. `shared` are folders of this machine, by their place there."""

    def __init__(self, folder, shared):
        super().__init__()
        self.folder, self.shared = folder, shared

    def __enter__(self):
        self.folder.mkdir()
        group = _cgroups() / f"machine-of-a-test-{os.getpid()}"
        group.mkdir()
        self.callback(_remove, group)
        start = 'echo $$ > "$0"/cgroup.procs; exec "$@"'
        script = ["sh", SCRIPT, self.folder, *(f"{is_}={at}" for at, is_ in self.shared.items())]
        line = ["sh", "-c", start, group, *UNSHARE, "--propagation", "private", *script]
        log = self.enter_context((self.folder.parent / "machine.log").open("w"))
        self._process = subprocess.Popen(list(map(str, line)), stdout=log, stderr=log)
        self.callback(self._end)
        until(lambda: children(self._process.pid), "a machine")
        self._first = children(self._process.pid)[0]
        until(self._is_up, "its systemd")
        return self

    def _is_up(self):
        said = subprocess.run(
            self.shell("systemctl", "is-system-running"),
            env=self.environment(),
            capture_output=True,
            text=True,
        ).stdout
        return said.strip() in ("running", "degraded")

    def shell(self, *line):
        """The command line, here, of a command there."""
        there = ("nsenter", f"--target={self._first}", "--all", "--root", "--wd")
        return [*there, "sh", "-c", 'cd && exec "$@"', "sh", *(line or ("bash",))]

    def environment(self, **changes):
        """What a login of root has."""
        return {"PATH": SEARCHED, "HOME": "/root", "LANG": "C.UTF-8"} | changes

    def _end(self):
        for pid in children(self._process.pid):
            os.kill(pid, signal.SIGKILL)  # the first process: all others end with it
        self._process.kill()
        self._process.wait(timeout=60)


def _remove(group):
    """The folders of a group, once its processes are gone."""
    for _ in range(100):
        with contextlib.suppress(OSError):
            for one in sorted(group.rglob("*/"), reverse=True):
                one.rmdir()
            group.rmdir()
            return
        time.sleep(0.1)
