"""PgBouncer in transaction mode, in front of a database of a benchmark."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from .processes import LOAD_CORE, free_port

CONFIG = """
[databases]
postgres = host={host} user=postgres dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = 40
ignore_startup_parameters = extra_float_digits
unix_socket_dir =
logfile =
"""


@contextmanager
def pooled(url, folder):
    """The URL of the database behind PgBouncer, and the process ID of PgBouncer.

    FileNotFoundError: it is not installed.
    """
    host, port = parse_qs(urlsplit(url).query)["host"][0], free_port()
    config = Path(folder) / "pgbouncer.ini"
    config.write_text(CONFIG.format(host=host, port=port))
    for path in (config, *config.parents):
        if path.stat().st_uid == os.getuid() and path.is_relative_to(folder):
            path.chmod(0o755)
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin") or "pgbouncer"
    # It refuses to run as root; whoever runs the database reaches its socket.
    user = ["-u", Path(host).owner()] if os.getuid() == 0 else []
    process = subprocess.Popen(
        [program, "-q", *user, str(config)],
        preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CORE}),
    )
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres", process.pid
    finally:
        process.terminate()
        process.wait(timeout=10)
