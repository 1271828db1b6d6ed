"""Where a page is followed: a folder, a shell that keeps its variables, and servers."""

import contextlib
import http.client
import os
import re
import subprocess

from ..standalone import environment, free_port, wait_for

SHELL = """
set -a -eu -o pipefail
if [ -f "$STATE" ]; then . "$STATE"; cd "$FOLDER"; fi
{text}
FOLDER=$PWD
export -p > "$STATE"
"""
"""Runs a block with the variables and in the folder that the block before left."""


class Place(contextlib.ExitStack):
    """One stage of a page. The page's ports 8000 and 8443 are free ones here."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.port, self.said = folder / "work", str(free_port()), ""
        self.second_port = str(free_port())
        self.serves = False
        self.folder.mkdir()

    def has(self, venv, wheels, **more):
        """The environment that commands find, and the folders that pip installs from."""
        self.environment = environment(
            HOME=str(self.folder.parent),
            PATH=f"{venv / 'bin'}:{os.environ['PATH']}",
            PYTHONDONTWRITEBYTECODE="1",
            PIP_NO_INDEX="1",
            PIP_FIND_LINKS=" ".join(map(str, wheels)),
            PIP_DISABLE_PIP_VERSION_CHECK="1",
            STATE=str(self.folder.parent / "state"),
            **more,
        )

    def follow(self, block):
        """Do what a reader does with this block."""
        for word in ("write", "append"):
            if name := block.about(word):
                return self._write(name, block.text, "w" if word == "write" else "a")
        if block.about("prints") is not None:
            return self._compare(block)
        if block.about("shell") is not None:
            return self._run(f"python manage.py shell -v 0 <<'END'\n{block.text}END\n")
        if block.language == "sh":
            serves = block.about("keeps running") is not None
            return self._serve(block.text) if serves else self._run(block.text)
        return (
            self._run(f"python - <<'END'\n{block.text}END\n")
            if block.language == "python"
            else None
        )

    def start_project(self):
        """Load all of a project whose last lines no command has used: settings, URLs, middleware."""
        self._run("python manage.py check")
        self._run("python -c 'from mysite.wsgi import application'")

    def reach(self, path):
        """The status that a server that runs here answers to a GET."""
        called = http.client.HTTPConnection("127.0.0.1", int(self.port), timeout=30)
        with contextlib.closing(called):
            called.request("GET", path)
            return called.getresponse().status

    def _here(self, text):
        text = re.sub(r"\b8443\b", self.second_port, text)
        return re.sub(r"\b8000\b", self.port, text)

    def _write(self, name, text, mode):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode) as file:
            file.write(("\n\n" if mode == "a" else "") + self._here(text))

    def _run(self, text):
        line = ["bash", "-c", SHELL.format(text=self._here(text))]
        done = subprocess.run(
            line,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        self.said = done.stdout
        assert done.returncode == 0, f"{text}\n{self.said[-4_000:]}"
        assert "does not provide the extra" not in self.said

    def _serve(self, text):
        """Start what the block starts, and end all of it at the end of the stage."""
        log = self.enter_context((self.folder.parent / "server.log").open("w"))
        line = ["bash", "-c", SHELL.format(text=self._here(text))]
        process = subprocess.Popen(
            line,
            cwd=self.folder,
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self.callback(self._end, process)
        wait_for(int(self.port))
        self.serves = True

    def _end(self, process):
        os.killpg(process.pid, 15)
        process.wait(timeout=30)

    def _compare(self, block):
        """Each line of the block, where `…` stands for anything, is in what was printed last."""
        for line in block.text.splitlines():
            wanted = ".*".join(map(re.escape, self._here(line).strip().split("…")))
            assert re.search(wanted, self.said), (
                f"{block}: {line!r} is not in\n{self.said[-4_000:]}"
            )
