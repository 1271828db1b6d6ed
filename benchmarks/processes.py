"""Servers as processes of their own, on a core of their own, and what they cost."""

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[-1], CORES[0]


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process and its children."""

    def __init__(self, line, port, env=None, cwd=ROOT):
        self.port = port
        environment = {**os.environ, **(env or {})}
        self.process = subprocess.Popen(
            line,
            cwd=cwd,
            env=environment,
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
        )
        self._wait()

    def _wait(self):
        for _ in range(300):
            if self.process.poll() is not None:
                raise RuntimeError("the server ended at once")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.1)
        raise TimeoutError("the server did not come up")

    def pids(self):
        """Of the process and all below it."""
        return tree(self.process.pid)

    def cpu(self):
        """Seconds of CPU so far."""
        return sum(cpu_of(pid) for pid in self.pids())

    def private_memory(self):
        """MiB that the largest of its processes has for itself (USS)."""
        return max(private_memory_of(pid) for pid in self.pids())

    def stop(self):
        """Ends it, and waits."""
        self.process.terminate()
        self.process.wait(timeout=30)


def tree(pid):
    """A process and all below it."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def cpu_of(pid):
    """Seconds of CPU, of a process that may be gone."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


def private_memory_of(pid):
    """MiB."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1_024
    return 0.0


def standalone(application, port, *, env, workers=1):
    """A server as the standalone project runs it."""
    from gm_project.server import command

    return Server(command("127.0.0.1", port, workers, application), port, env)
