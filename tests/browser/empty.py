"""A console with nothing in it: a database that was migrated, a superuser, and a server."""

import contextlib
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..standalone import copy_of, environment, manage, serving

RUNNERS = {
    ".sh": ["sh"],
    ".mjs": ["node"],
    ".py": [sys.executable],
    ".java": ["java"],
    ".go": ["go", "run"],
}
USER, PASSWORD = "ann", "correct horse battery"


@dataclass
class Console:
    """Where it is, and who may log in; in the shape that `demo.log_in` takes."""

    admin: str
    user: str = USER
    password: str = PASSWORD
    language: str = "en"

    def url(self, path):
        return f"{self.admin}grant_management/{path}"


@contextlib.contextmanager
def running_console(folder: Path):
    """The console, once it answers."""
    copy_of(_with_a_superuser, folder / "console.sqlite3")
    url = f"sqlite:///{folder / 'console.sqlite3'}"
    with serving(url, SECRET_KEY=secrets.token_urlsafe(50)) as port:
        yield Console(f"http://127.0.0.1:{port}/admin/")


def _with_a_superuser(url, _folder):
    manage("migrate", "-v", "0", DATABASE_URL=url)
    who = ("--noinput", "--username", USER, "--email", "ann@example.com")
    manage("createsuperuser", *who, DATABASE_URL=url, DJANGO_SUPERUSER_PASSWORD=PASSWORD)


def run_program(program, text, folder, **variables):
    """Run a program of the first call as its page says; what it prints."""
    file = folder / program.replace(".mts", ".mjs")  # the same text, for an older Node.js
    file.write_text(text)
    done = subprocess.run(
        [*RUNNERS[file.suffix], file.name],
        cwd=folder,
        env=environment(**variables) | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
