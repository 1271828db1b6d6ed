"""A copy of the filled database for each variant: what one publishes is not another's."""

import shutil
from pathlib import Path
from urllib.parse import urlsplit


def copy(url: str, name: str, folder: Path) -> str:
    """The URL of a copy. Nobody may be connected to the database at `url`."""
    if url.startswith("sqlite"):
        made = shutil.copy(urlsplit(url).path, folder / "db.sqlite3")
        return f"sqlite:///{made}"
    import psycopg

    parts = urlsplit(url)
    source = parts.path.removeprefix("/")
    elsewhere = parts._replace(path="/template1").geturl()
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    return parts._replace(path=f"/{name}").geturl()
