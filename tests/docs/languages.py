"""What a block may be: how each language is parsed, and why a block may not be run."""

import ast
import json
import os
import re
import subprocess
import tomllib

import yaml

from ..standalone import ROOT

NEEDS = (
    "Citus",
    "GitHub",
    "GitLab",
    "Go",
    "HAProxy",
    "Hydra",
    "Java",
    "Keycloak",
    "Ruby",
    "a browser",
    "a public name",
    "another repository",
    "containers",
    "pip and a network",
    "root",
    "your project",
    "your server",
)
REASONS = {*(f"needs {one}" for one in NEEDS), "takes long", "an example"}
"""Why a block is not run: `test_not_run.py` lists them. Beside them `run by: tests/…` names the test
that runs it.
"""
WORDS = {"start", "not run", "run by", "write", "append", "keeps running", "prints", "shell"}
STARTS = ("an empty folder", "a checkout", "a new Django project", "an empty Debian")
"""Where a page begins. On an empty Debian root is needed: what begins there has tests of its own."""


def shell(text):
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def json_lines(text):
    for line in text.splitlines():
        json.loads(line)


def http(text):
    """A request or a response: its first line, headers, and a body of JSON or a form."""
    head, _, body = text.partition("\n\n")
    first, *headers = head.splitlines()
    assert re.fullmatch(r"(GET|HEAD|POST|DELETE) /\S* HTTP/1.1|HTTP/1.1 \d{3}( [A-Za-z ]+)?", first)
    assert all(re.fullmatch(r"[A-Za-z-]+: \S.*", header) for header in headers)
    if "application/json" in head:
        json.loads(body)


PARSERS = {
    "sh": shell,
    "python": ast.parse,
    "json": json.loads,
    "jsonl": json_lines,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
    "http": http,
    "text": len,
    "diff": len,
    "ini": len,
    "html": len,
    "javascript": len,
    "properties": len,
    "sql": len,
    "{eval-rst}": len,
}
"""Languages that any reader can check. Blocks of others give a reason."""
RUN = ("sh", "python")
SILENCED = {("an example", language) for language in RUN}


def reads(test, page):
    """Whether a test takes what it runs from this page, so that it runs what the page says."""
    name, text = re.escape(os.path.relpath(page, ROOT / "docs")), test.read_text()
    is_parameter = ".follow(" in text and re.search(rf'\("{name}", ', text)
    return bool(is_parameter or re.search(rf'\b(typed|blocks|follow)\("{name}"', text))


def allowed_not_to_run(block):
    reason, test = block.about("not run"), block.about("run by")
    if reason is not None:
        assert reason in REASONS, f"{block}: {reason!r} is not one of {sorted(REASONS)}"
        assert (reason, block.language) not in SILENCED, f"{block}: what can be run is no example"
    if test is not None:
        assert (ROOT / test).exists(), f"{block}: there is no {test}"
        assert reads(ROOT / test, block.page), f"{test} does not read {block.page}"
    return reason is not None or test is not None
