"""Server processes on a core of their own, and the CPU time and memory that they use."""

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
    """A server process and its children."""

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
        """The process IDs of the server and of all its descendants."""
        return tree(self.process.pid)

    def cpu(self):
        """Seconds of CPU time so far, of all processes together."""
        return sum(cpu_of(pid) for pid in self.pids())

    def private_memory(self):
        """MiB of private memory (USS) of the largest process."""
        return max(private_memory_of(pid) for pid in self.pids())

    def stop(self):
        """Terminate it, and wait for its end."""
        self.process.terminate()
        self.process.wait(timeout=30)


def tree(pid):
    """The process IDs of a process and of all its descendants."""
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
    """Seconds of CPU time of a process; 0 where it is gone."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


def private_memory_of(pid):
    """MiB of private memory (USS) of a process; 0 where it is gone."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1_024
    return 0.0


def standalone(application, port, *, env, workers=1):
    """Start a server as the standalone project does."""
    from gm_project.serving.server import command

    return Server(command("127.0.0.1", port, workers, application), port, env)
