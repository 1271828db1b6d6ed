"""Files, commands, options, modules and settings that pages name exist."""

import ast
import re
import shlex
import subprocess
import sys
from functools import cache
from importlib import import_module
from itertools import chain

import pytest
from django.core.management import get_commands, load_command_class

from grant_management import call_lines

from ..standalone import ROOT
from .pages import PAGES, blocks, inline, short

FOLDERS = "benchmarks|chaos|deploy|docs|examples|gm_project|grant_management|tests"
INSIDE = "admin|api|checks|conformance|contrib|db|endpoint|fields|interchange|lifecycle|management|models|protocol"
CODES = [(page, token.content) for page in PAGES for token in inline(page, "code_inline")]
PASS_ON = ("manage", "test", "bench", "chaos")
"""Commands of run.py that pass their options on."""
OF_OTHERS = ("createapplication",)
"""Commands of packages that are not installed apps here."""
LINES = [
    (block.page, line)
    for block in blocks()
    if block.language == "sh"
    for line in block.text.replace("\\\n", " ").splitlines()
]


@pytest.mark.parametrize(
    ("page", "name"),
    [one for one in CODES if re.fullmatch(rf"(?:{FOLDERS}|{INSIDE})/[\w./-]*", one[1])],
    ids=short,
)
def test_file(page, name):
    """Below the checkout or, in short, below the app."""
    assert (ROOT / name).exists() or (ROOT / "grant_management" / name).exists()


@pytest.mark.parametrize(
    ("page", "name"),
    [
        one
        for one in CODES
        if re.fullmatch(r"grant_management(\.(?![WE]\d)[A-Za-z_]\w*)+(\(\))?", one[1])
    ],
    ids=short,
)
def test_module(page, name):
    """A module, or what is in one; or a logger."""
    if name == call_lines.logger.name:
        return
    path, found = name.removesuffix("()").split("."), import_module("grant_management")
    # It is only read where it is a bridge's, which may need an app that is not installed here.
    module = (ROOT / "/".join(path)).with_suffix(".py")
    if module.exists():
        return
    if "contrib" in path and (module := module.parent.with_suffix(".py")).exists():
        defined = ast.parse(module.read_text()).body
        assert path[-1] in [getattr(one, "name", None) for one in defined]
        return
    for depth, part in enumerate(path[1:], 2):
        if not hasattr(found, part):
            import_module(".".join(path[:depth]))
        found = getattr(found, part)


def commands():
    """(page, name, arguments) of each call of a command of Django's or ours."""
    ours = get_commands()
    for page, line in chain(CODES, LINES):
        if called := re.search(
            r"(?:manage\.py|run\.py manage|gm-manage) ([a-z_]+)([^|;&)#<>]*)", line
        ):
            yield page, called[1], called[2]
        elif (start := re.match(r"([a-z]+_[a-z_]+|doctor)( --.*)?$", line)) and start[1] in ours:
            yield page, start[1], start[2] or ""


@pytest.mark.parametrize(("page", "name", "arguments"), sorted(set(commands()), key=str), ids=short)
def test_command(page, name, arguments):
    if any((ROOT / "grant_management" / "contrib").glob(f"*/management/commands/{name}.py")):
        return  # of an app that is not installed here
    if name in OF_OTHERS:
        return
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    options = {option for action in parser._actions for option in action.option_strings}
    assert set(re.findall(r"(?<=\s)--?[a-z][\w-]*", arguments)) <= options


@cache
def help_of(*command):
    """What `run.py COMMAND --help` says."""
    line = [sys.executable, "run.py", *command, "--help"]
    return subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("page", "line"), [one for one in chain(CODES, LINES) if "run.py " in one[1]], ids=short
)
def test_run_py(page, line):
    called = re.search(r"run\.py ([a-z]+)(.*)", line)
    assert re.search(rf"^ +{called[1]} ", help_of(), re.M)
    if called[1] not in PASS_ON:
        words = [word for word in shlex.split(called[2], comments=True) if word.startswith("--")]
        assert all(word in help_of(called[1]) for word in words)


@pytest.mark.parametrize(
    ("page", "name"),
    [
        (page, name)
        for page, line in chain(CODES, LINES)
        for name in re.findall(r"python3? -m ([\w.]+)", line)
    ],
    ids=short,
)
def test_module_that_runs(page, name):
    import_module(name)
