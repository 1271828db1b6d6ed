"""Types what a page says into one shell, and compares what the page says is printed."""

import contextlib
import os
import re
import secrets
import signal
import subprocess
import threading
import time
from queue import Empty, Queue

from ..standalone import environment, free_port, wait_for
from .page import blocks, matches

PORT = "8000"
"""In the pages. Each reader has a free port instead, since readers work at the same time."""
PATIENCE = 300


class Reader:
    """A reader in a folder. `typed` has what is typed where a page says `read`: a function each.
    `at_address` is what is done in a browser when a command prints an address and waits. With a
    `machine` the shell is there, with its ports, and the folder is for files alone.
    """

    def __init__(self, folder, *, typed=None, replaced=None, at_address=None, machine=None, **env):
        self.folder, self.at_address = folder, at_address
        self.typed = dict(typed or {})
        self.port = free_port()
        self.replaced = (replaced or {}) | ({} if machine else {PORT: str(self.port)})
        self.said = ""
        self._lines = Queue()
        self._shell = subprocess.Popen(
            machine.shell() if machine else ["bash"],
            cwd=folder,
            env=machine.environment(**env) if machine else environment(**env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._write("set -euo pipefail")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # All processes that this reader began. They get time to end servers of their own.
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._shell.pid, number)
                self._wait_for_the_end()
        self._listener.join(timeout=20)
        self._shell.wait(timeout=30)
        with contextlib.suppress(BrokenPipeError):
            self._shell.stdin.close()
        self._shell.stdout.close()

    def _wait_for_the_end(self, seconds=30):
        """ProcessLookupError: none of the group is left."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._shell.poll()
            os.killpg(self._shell.pid, 0)
            time.sleep(0.1)

    def follow(self, name):
        """All of a page."""
        for block in blocks(name):
            if block.runs:
                self.take(block)

    def take(self, block):
        """One block: a file is written, commands are run, output is compared."""
        text = self._as_here(block.text)
        if block.file:
            self._write_file(*block.file, text)
        elif block.is_shell:
            self._run(block, text)
        elif block.is_output:
            expected = self._as_here(block.text)
            assert matches(expected, self.said), (
                f"{block}: the page says\n{expected}\nand here is\n{self.said}"
            )
        else:
            raise AssertionError(f"{block}: neither a file, nor commands, nor output")

    def _as_here(self, text):
        for old, new in self.replaced.items():
            text = text.replace(old, new)
        return text

    def _write_file(self, path, appended, text):
        file = self.folder / path
        assert file.exists() or not appended, path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a" if appended else "w") as stream:
            stream.write(("\n" if appended else "") + text + "\n")

    def _run(self, block, text):
        if block.mark == "keeps running":
            log = self.folder / f".log-{block.line}"
            self._write("{\n" + text + f"\n}} >{log} 2>&1 </dev/null &")
            wait_for(self.port)
            return
        for line in text.splitlines(keepends=True):
            self._write(line.rstrip("\n"))
            if asked := re.match(r"read -rs? (\w+)", line):  # as if it were typed or pasted
                self._write(self.typed[asked[1]](self))
        self.said = self._until_done(block)

    def _until_done(self, block):
        mark = f"-- {secrets.token_hex(8)} --"
        self._write(f"echo; echo '{mark}'")
        said = []
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE)
            except Empty:
                line = None
            if line is None:
                raise AssertionError(f"{block}: failed\n{self._logs()}{''.join(said)[-6_000:]}")
            if line.rstrip("\n") == mark:
                return "".join(said)
            said.append(line)
            if self.at_address and line.startswith("http"):
                self.at_address(line.strip())

    def _logs(self):
        return "".join(
            f"{one.name}: {one.read_text()[-3_000:]}\n" for one in self.folder.glob(".log-*")
        )

    def _write(self, line):
        try:
            self._shell.stdin.write(line + "\n")
            self._shell.stdin.flush()
        except BrokenPipeError:  # it ended at an error: what it said tells more
            return

    def _listen(self):
        for line in self._shell.stdout:
            self._lines.put(line)
        self._lines.put(None)
