"""A restore to a point in time: what docs/how-to/cluster.md says to type, for one PostgreSQL."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
import yaml

from ..ours import connection
from ..postgresql import start
from ..standalone import ROOT, until

PAGE = (ROOT / "docs" / "how-to" / "cluster.md").read_text()
DATA = "/var/lib/postgresql/patroni/data"


@pytest.fixture
def folder():
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: --db postgresql")
    made = Path(tempfile.mkdtemp(prefix="gm-moment-"))
    yield made
    shutil.rmtree(made)


OF_ROOT = os.environ | {"PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"}
"""For `runuser`: whoever became root by `su` has no /usr/sbin in the path."""


def archive_command():
    (text,) = re.findall(r"<<'YAML'\n(.*?)^YAML$", PAGE, re.M | re.S)
    return yaml.safe_load(text)["postgresql"]["parameters"]["archive_command"]


def restore(server, backups, moment):
    """Run the block of the page, with the folders and the user of this server."""
    (block,) = [
        one for one in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S) if "MOMENT=" in one
    ]
    block = re.sub(r"^MOMENT=.*$", f"MOMENT='{moment}'", block, flags=re.M)
    block = re.sub(r"^(systemctl|/opt/patroni).*$", "", block, flags=re.M)
    block = block.replace("/usr/lib/postgresql/15/bin", shlex.quote(str(server.bin_path)))
    run_as = f"runuser -u {server.system_user} -- " if server.system_user else ""
    block = block.replace("runuser -u postgres -- ", run_as)
    data = str(server.pgdata)
    block = block.replace(DATA, data).replace("/var/backups/cluster", str(backups))
    block = block.replace("-c listen_addresses=", f"-c listen_addresses= -k {backups.parent}")
    log = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["bash", "-eu", "-c", block], check=True, timeout=120, env=OF_ROOT, **log)


def test_a_bad_delete_is_undone(folder):
    backups = folder / "backups"
    (backups / "log").mkdir(parents=True)
    server = start(folder)
    if server.system_user:
        for one in (folder, backups, backups / "log"):
            shutil.chown(one, server.system_user)
    try:
        command = archive_command().replace("/var/backups/cluster", str(backups))
        with psycopg.connect(server.get_uri(), autocommit=True) as session:
            session.execute("ALTER SYSTEM SET archive_mode = on")
            session.execute(f"ALTER SYSTEM SET archive_command = '{command}'")
            session.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
        server.stop()
        server.start()
        socket_folder = str(server.get_postmaster_info().socket_dir)
        user = ["runuser", "-u", server.system_user, "--"] if server.system_user else []
        copy = ["-h", socket_folder, "-U", "postgres", "-c", "fast", "-D", backups / "copy-1"]
        subprocess.run([*user, server.bin_path / "pg_basebackup", *copy], check=True, env=OF_ROOT)
        for lock in (backups / "copy-1").glob(".s.PGSQL.*.lock"):
            lock.unlink()  # this server has its socket, which another one has elsewhere, in its data
        with psycopg.connect(server.get_uri(), autocommit=True) as session:
            session.execute("INSERT INTO kept VALUES (1001)")
            (moment,) = session.execute("SELECT now()::text").fetchone()
            time.sleep(0.1)
            session.execute("DELETE FROM kept")
            (name,) = session.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
            session.execute("SELECT pg_switch_wal()")
        until(lambda: (backups / "log" / name).exists(), "the archive")
        server.stop()
        restore(server, backups, moment)
        server.start()
        with psycopg.connect(server.get_uri(), autocommit=True) as session:
            assert session.execute("SELECT count(*), max(number) FROM kept").fetchone() == (
                1001,
                1001,
            )
            assert session.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
    finally:
        server.cleanup()
