"""A console with nothing in it: a database that was migrated, a superuser, and a server."""

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..standalone import environment, manage, serving

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

    def url(self, path):
        return f"{self.admin}grant_management/{path}"


@contextlib.contextmanager
def running_console(folder: Path):
    """The console, once it answers."""
    env = {"DATABASE_URL": f"sqlite:///{folder / 'console.sqlite3'}", "SECRET_KEY": "x" * 50}
    manage("migrate", "-v", "0", **env)
    manage(
        "createsuperuser",
        "--noinput",
        "--username",
        USER,
        "--email",
        "ann@example.com",
        **env,
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )
    with serving(env["DATABASE_URL"], SECRET_KEY=env["SECRET_KEY"]) as port:
        yield Console(f"http://127.0.0.1:{port}/admin/")


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
