"""Empty Debian machines on a network of their own: each has namespaces, and a root file system.

They have no systemd: `service_manager.py` runs in its place what the units run. Packages come over
the network of this machine, since theirs leads nowhere else.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from chaos.processes import children

from ..standalone import ROOT, until

BRIDGE = "gm-machines"
COPIED = (
    "etc/resolv.conf",
    "etc/hosts",
    "etc/pip.conf",
    "etc/ssl/certs",
    "usr/local/share/ca-certificates",
)
"""What leads to the packages, over the network of this machine."""
PROGRAMS = ("mmdebstrap", "ip", "nsenter", "unshare")
INIT = """
mount -t overlay overlay -o lowerdir={base},upperdir={own}/upper,workdir={own}/work {own}/tree
mount --rbind /dev {own}/tree/dev
mount -t tmpfs tmpfs {own}/tree/dev/shm
mount -t proc proc {own}/tree/proc
mount --bind {shared} {own}/tree/var/backups/cluster
exec chroot {own}/tree bash -c 'touch /run/is-up; while :; do sleep 1000; done'
"""
PASSED_ON = ("PIP_", "SSL_CERT_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


def missing():
    """What a run of such machines needs and is not there; "": nothing."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"needs {', '.join(absent)}" if absent else "" if os.geteuid() == 0 else "needs root"


def make_base(folder):
    """An empty Debian, which all machines begin with."""
    lax = ["Check-Valid-Until", "Check-Date"]  # a mirror may be a snapshot
    options = [f'--aptopt=Acquire::{one} "false"' for one in lax]
    options += ["--dpkgopt=force-unsafe-io"]  # it is thrown away: dpkg need not wait for the disk
    apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    line = [*apart, "mmdebstrap", "--quiet", "--variant=apt", *options, "bookworm", str(folder)]
    subprocess.run(line, check=True, timeout=900)
    stand_in = folder / "usr" / "bin" / "systemctl"
    shutil.copy(Path(__file__).with_name("service_manager.py"), stand_in)
    stand_in.chmod(0o755)
    policy = folder / "usr" / "sbin" / "policy-rc.d"  # packages start nothing: there is no systemd
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    (folder / "var" / "backups" / "cluster").mkdir(parents=True)
    for name in COPIED:
        _copy(Path("/", name), folder / name)


def _copy(source, target):
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.exists():
        shutil.copy(source, target)


class Network:
    """A bridge for the machines, which reach each other and nobody else."""

    def __enter__(self):
        self._remove()
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("link", "set", BRIDGE, "up")
        return self

    def __exit__(self, *_error):
        self._remove()

    def _remove(self):
        subprocess.run(["ip", "link", "del", BRIDGE], capture_output=True, check=False)


class Machine:
    """A machine that was just installed, as `with` block; `shared` is a folder that all reach."""

    def __init__(self, folder, base, shared, name, address):
        self.name, self.address = name, address
        self.folder = folder / name
        self._base, self._shared = base, shared
        self.typed = 0

    def __enter__(self):
        for part in ("upper", "work", "tree"):
            (self.folder / part).mkdir(parents=True)
        text = INIT.format(base=self._base, own=self.folder, shared=self._shared)
        apart = ["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"]
        self._holder = subprocess.Popen(["unshare", *apart, "bash", "-euc", text])
        until(self._is_up, "the machine")
        self._plug_in()
        self.run(f"hostname {self.name}", types=False)
        return self

    def __exit__(self, *_error):
        self.end()

    def end(self):
        """Power off: every process ends at once."""
        self._holder.kill()
        self._holder.wait()

    @property
    def init(self):
        """The ID of its first process, as this machine counts."""
        return children(self._holder.pid)[0]

    @property
    def root(self):
        """Its root folder, as seen from here."""
        return Path(f"/proc/{self.init}/root")

    def run(self, text, *, online=False, types=True, answers="", environment=()):
        """What a text for bash says there. `online`: over the network of this machine."""
        self.typed += len(text) if types else 0
        spaces = ["--mount", "--pid", "--uts", "--ipc", *([] if online else ["--net"])]
        line = ["nsenter", "-t", str(self.init), *spaces, "--root", "--wdns=/root"]
        done = subprocess.run(
            [*line, "bash", "-eu", "-o", "pipefail", "-c", text],
            env=_environment(online) | dict(environment),
            input=answers,
            capture_output=True,
            text=True,
            timeout=1800,
        )
        assert done.returncode == 0, f"{self.name}: {text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def beside(self, *arguments, timeout=900):
        """What a Python module of this checkout prints, run here in the network of the machine."""
        line = ["nsenter", "-t", str(self.init), "--net", sys.executable, "-m", *arguments]
        done = subprocess.run(
            line, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _is_up(self):
        assert self._holder.poll() is None, "the machine did not come up"
        return bool(children(self._holder.pid)) and (self.root / "run" / "is-up").exists()

    def _plug_in(self):
        outside = f"gmm-{self.address}"  # a name has 15 characters at most
        _ip("link", "add", outside, "type", "veth", "peer", "eth0", "netns", str(self.init))
        _ip("link", "set", outside, "master", BRIDGE)
        _ip("link", "set", outside, "up")
        here = ["nsenter", "-t", str(self.init), "--net", "ip"]
        for line in (f"addr add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            subprocess.run([*here, *line.split()], check=True, capture_output=True)


def _environment(online):
    path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    given = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    return path | {"DEBIAN_FRONTEND": "noninteractive"} | (given if online else {})


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
