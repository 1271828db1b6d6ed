"""PgBouncer in transaction mode, in front of a PostgreSQL of the tests."""

import os
import shutil
import subprocess
from pathlib import Path

from .standalone import free_port, wait_for

CONFIG = """
[databases]
* = host={host} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = {size}
min_pool_size = {least}
max_client_conn = 1000
ignore_startup_parameters = extra_float_digits
unix_socket_dir =
logfile =
"""


def program():
    """Its path; None: it is not installed."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


def start(folder, socket_folder, *, size, least=0):
    """The process, and its port. Any database of the server is reached through it."""
    port = free_port()
    folder.chmod(0o755)
    config = folder / "pgbouncer.ini"
    config.write_text(CONFIG.format(host=socket_folder, port=port, size=size, least=least))
    # It refuses to run as root; whoever runs the database reaches its socket.
    user = ["-u", Path(socket_folder).owner()] if os.getuid() == 0 else []
    process = subprocess.Popen([program(), "-q", *user, str(config)])
    wait_for(port)
    return process, port
