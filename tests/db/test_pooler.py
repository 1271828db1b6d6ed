"""Behind PgBouncer in transaction mode: a call's statements meet whatever session is free."""

import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ..gm_project.test_processes import postgresql  # noqa: F401 - a fixture
from ..standalone import API_TOKEN, PATH, QUERY, free_port, manage, post, seed, serving, wait_for

CONFIG = """
[databases]
postgres = host={host} user={user} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = 3
min_pool_size = 3
ignore_startup_parameters = extra_float_digits
unix_socket_dir =
logfile =
"""


@pytest.fixture
def pooled(postgresql):  # noqa: F811 - it is that fixture
    """The URL of a database behind PgBouncer; and that of the database itself."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed")
    folder, port = Path(tempfile.mkdtemp(prefix="gm-pooler-")), free_port()
    folder.chmod(0o755)
    config, info = folder / "pgbouncer.ini", postgresql.get_postmaster_info()
    config.write_text(CONFIG.format(host=info.socket_dir, user="postgres", port=port))
    # It refuses to run as root; whoever runs the database reaches its socket.
    user = ["-u", Path(info.socket_dir).owner()] if os.getuid() == 0 else []
    process = subprocess.Popen([program, "-q", *user, str(config)])
    try:
        wait_for(port)
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres", postgresql.get_uri()
    finally:
        process.terminate()
        process.wait(timeout=10)
        shutil.rmtree(folder)


def test_each_call_is_answered(pooled, tmp_path):
    """Two servers, eight callers, three sessions behind them: none ever has another's statement."""
    through, direct = pooled
    seed(direct, tmp_path)

    def call(number):
        port = ports[number % 2]
        members = QUERY | ({"accessToken": "t-2"} if number % 3 else {})
        return post(port, PATH, API_TOKEN, members)[1]["resultCode"]

    with serving(through) as one, serving(through) as two:
        ports = (one, two)
        with ThreadPoolExecutor(8) as pool:
            answered = list(pool.map(call, range(300)))
        assert set(answered) == {"A277001"}
        revoke = QUERY | {"gmAction": "REVOKE"}
        assert post(one, PATH, API_TOKEN, revoke)[1]["action"] == "NO_CONTENT"
        assert post(two, PATH, API_TOKEN, QUERY)[1]["resultCode"] == "A280303"
    lines = manage("export_grants", DATABASE_URL=through).splitlines()
    assert any('"grant_id":"g-1"' in line for line in lines)
