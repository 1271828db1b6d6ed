"""The reference says what the code says."""

import importlib
import inspect
import pkgutil
import re
from dataclasses import MISSING, fields
from itertools import pairwise

import pytest
from django.contrib.auth import get_permission_codename
from django.dispatch import Signal

from gm_project.serving import metrics
from grant_management import lifecycle, models, signals
from grant_management.conf import Settings
from grant_management.conformance.config import Config
from grant_management.models.api_token import RIGHTS
from grant_management.models.event import ActorKind, EventKind, GrantEvent
from grant_management.models.organization_event import OrganizationEvent
from grant_management.protocol.results import Result
from grant_management.roles import ROLES

from ..standalone import ROOT
from . import commands
from .tables import codes, rows

PACKAGES = ("grant_management", "gm_project")
SOURCES = {
    path: path.read_text() for package in PACKAGES for path in (ROOT / package).rglob("*.py")
}


@pytest.mark.parametrize("result", Result)
def test_result(result):
    """Below the heading of its code: the status, the action, the error and the text."""
    page = (ROOT / "docs" / "reference" / "codes.md").read_text()
    section = page.partition(f"### {result.code}\n")[2].partition("\n#")[0]
    error = result.error and f"`{result.error}`"
    said = filter(None, [f"HTTP {result.status}", result.action, error, f"*{result.text}*"])
    assert " · ".join(said) in section.splitlines()
    assert section.strip().splitlines()[-1][0] != "H", "and what to do"


def test_no_code_is_left_over():
    page = (ROOT / "docs" / "reference" / "codes.md").read_text()
    assert set(re.findall(r"^### (\w+)$", page, re.M)) == {result.code for result in Result}


def test_settings_of_the_app():
    """Each key, with its default, in the order of their declaration."""
    found = rows("settings", ["key", "what", "default"])
    assert [codes(key) for key, *_ in found] == [[one.key] for one in Settings.all()]
    for setting, row in zip(Settings.all(), found, strict=True):
        assert row[-1].partition(":")[0] == shown(setting.default)


def shown(default):
    is_number = isinstance(default, int) and not isinstance(default, bool)
    return f"{default:,}" if is_number else f"`{default}`"


def test_settings_of_the_environment():
    """Every variable that the standalone project reads, and no other."""
    read = re.compile(
        r"(?:environ\.get|getenv|_[a-z_]+)\(\s*\"([A-Z][A-Z_]+)\"|os\.environ\[\"([A-Z_]+)\"\]"
    )
    known = {"DJANGO_SETTINGS_MODULE", "SUDO_USER"} | {"CONTENT_LENGTH", "PATH_INFO", "REMOTE_ADDR"}
    known |= {"HTTP_AUTHORIZATION", "HTTP_X_REQUEST_ID"}
    project = [text for path, text in SOURCES.items() if ROOT / "gm_project" in path.parents]
    found = {one or two for text in project for one, two in read.findall(text)} - known
    found |= {metrics.FOLDER, *of_scripts()}
    table = rows("settings", ["variable", "what", "default"])
    assert {code for row in table for code in codes(row[0])} == found


def of_scripts():
    """What the scripts of deploy/ read beside the names of the project."""
    scripts = [path.read_text() for path in (ROOT / "deploy").glob("gm-*")]
    read = re.compile(r"\$\{([A-Z_]*DATABASE_URL)|environ\.get\(\"([A-Z_]*DATABASE_URL)\"")
    return {one or two for text in scripts for one, two in read.findall(text)}


def test_the_readme_has_the_figures_of_performance():
    """Of PostgreSQL; the ratio without its decimals."""
    speed = (ROOT / "docs" / "explanation" / "performance.md").read_text()
    (calls,) = re.findall(r"^\| \*\*bearer QUERY\*\* \| ([\d,]+) ", speed, re.M)
    (ratio,) = re.findall(r"^\| bearer QUERY ÷ toolkit introspection \| \*\*(\d+)", speed, re.M)
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"answers {calls} QUERYs a second from PostgreSQL, {ratio} times as many" in readme


def test_commands():
    """Made of the parsers: `DJANGO_SETTINGS_MODULE=gm_project.settings python -m tests.docs.commands`."""
    assert commands.PAGE.read_text() == commands.page()


def test_checks():
    """Each ID in the code, once. What to do about settings and deployments is compared word by word."""
    table = rows("checks", ["id", "what is wrong", "what to do"])
    given = [codes(row[0])[0] for row in table]
    found = {one for text in SOURCES.values() for one in re.findall(r"\b\w+\.[EW]\d{3}\b", text)}
    found |= {f"grant_management.{one.error}" for one in Settings.all()}
    found |= {
        f"{path.relative_to(ROOT).parts[0]}.{number}"
        for path, text in SOURCES.items()
        for number in re.findall(r'found\("([EW]\d{3})"', text)
    }
    found |= {
        f"{named[1]}.{number}"
        for text in SOURCES.values()
        if (named := re.search(r'^ID: Final = "(\w+)"$', text, re.M))
        for number in re.findall(r'f"\{ID\}\.([EW]\d{3})"', text)
    }
    assert sorted(given) == sorted(
        one for one in found if not one.startswith(("security.", "admin."))
    )
    advice = {codes(row[0])[0]: (codes(row[1]), row[2]) for row in table}
    for setting in Settings.all():
        expected = ([setting.key], f"It must be {setting.must_be}.")
        assert advice[f"grant_management.{setting.error}"] == expected


def test_config_of_the_conformance_suite():
    """Each member, with its default, in the order of their declaration."""
    table = rows("conformance", ["member", "what", "default"])
    defaults = {one.name: one.default for one in fields(Config)}
    shown = {codes(row[0])[0]: codes(row[2]) for row in table}
    assert list(shown) == list(defaults)
    for name, default in defaults.items():
        assert shown[name] == ([] if default in ("", MISSING) else [str(default)])


def test_events():
    kinds = [codes(row[0])[0] for row in rows("events", ["kind", "what happened", "details"])]
    assert sorted(kinds) == sorted(EventKind.values)
    actors = [codes(row[0])[0] for row in rows("events", ["`actor_kind`", "`actor`", "`actor_id`"])]
    assert actors == ActorKind.values
    members = {code for row in rows("events", ["member", "what"]) for code in codes(row[0])}
    columns = {one.name for model in (GrantEvent, OrganizationEvent) for one in model._meta.fields}
    assert members == columns


def test_permissions():
    """What each group has beyond the one above it; each is a permission that exists."""
    table = {row[0]: codes(row[1]) for row in rows("permissions", ["group", "has"])}
    assert list(table) == list(ROLES)
    for (_, less), (name, more) in pairwise([("", ()), *ROLES.items()]):
        assert table[name] == [one for one in more if one not in less]
    exist = {
        name
        for model in models.Grant._meta.app_config.get_models()
        for name in [
            *(get_permission_codename(act, model._meta) for act in model._meta.default_permissions),
            *(name for name, _ in model._meta.permissions),
        ]
    }
    explained = rows("permissions", ["permission", "lets its holder"])
    assert {code for row in explained for code in codes(row[0])} - {"view_…"} == {
        one for one in ROLES[list(ROLES)[-1]] if not one.startswith("view_")
    }
    assert {one for names in ROLES.values() for one in names} <= exist


def test_rights():
    table = rows("permissions", ["right", "lets its holder", "given by"])
    assert [codes(row[0])[0] for row in table] == list(RIGHTS)


def test_signals():
    """Each with what its receivers get."""
    table = rows("signals", ["signal", "sent", "a receiver gets"])
    exist = [name for name, one in vars(signals).items() if isinstance(one, Signal)]
    assert [codes(row[0])[0] for row in table] == exist
    text = "".join(SOURCES.values())
    for name, _, gets in table:
        sent = re.findall(rf"\b{codes(name)[0]}\.send\w*\(([^)]*)\)", text)
        for arguments in sent:
            assert set(re.findall(r"(\w+)=", arguments)) - {"sender"} == set(codes(gets))
        assert sent


def test_lifecycle():
    table = rows("python", ["function or class of `grant_management.lifecycle`", "what"])
    assert {code for row in table for code in codes(row[0])} == set(lifecycle.__all__)


PYTHON = (ROOT / "docs" / "reference" / "python.md").read_text()
DOCUMENTED = re.compile(
    r"^\.\. (auto\w+|currentmodule):: (\S+)\n((?: +:[\w-]+:.*\n)*)", re.MULTILINE
)
DIRECTIVES = DOCUMENTED.findall(PYTHON)


def public(header, package):
    """The names in a table, with what each of them is. A module is imported by its name."""
    for row in rows("python", header):
        for name in codes(row[0]):
            yield name, pkgutil.resolve_name(f"{package}.{name}")


def documented():
    """What the directives of the page show, as objects, and their members that are named."""
    module = ""
    for directive, name, options in DIRECTIVES:
        if directive == "currentmodule":
            module = f"{name}."
            continue
        found = pkgutil.resolve_name(name if name.startswith("grant_management") else module + name)
        yield found
        members = re.search(r":members:(.*)", options)
        if members and directive == "automodule":
            yield from (one for one in vars(found).values() if callable(one))
        elif members:
            yield from (getattr(found, one.strip()) for one in members[1].split(",") if one.strip())


def test_methods_of_the_models():
    """Each exists, says what it does, and is among the docstrings below."""
    shown = [*map(plain, documented())]
    for name, found in public(["of `grant_management.models`", "what"], "grant_management.models"):
        assert inspect.getdoc(found), name
        assert plain(found) in shown, name


def plain(one):
    """The function behind a method or a property."""
    return inspect.unwrap(getattr(one, "fget", None) or getattr(one, "__func__", one))


def test_what_bridges_are_made_of():
    """Each exists and says what it does; each part of the package that is public is named."""
    header = ["of `grant_management.contrib.bridge`", "what"]
    package = "grant_management.contrib.bridge"
    named = dict(public(header, package))
    for module in {name.partition(".")[0] for name in named}:
        inside = vars(importlib.import_module(f"{package}.{module}"))
        own = {
            f"{module}.{name}"
            for name, one in inside.items()
            if (inspect.isclass(one) or inspect.isfunction(one)) and name[0] != "_"
            if one.__module__ == f"{package}.{module}"
        }
        assert own <= named.keys() | {"consent.Parameters"}
    assert all(inspect.getdoc(one) for name, one in named.items() if callable(one))


def test_what_a_host_uses():
    """Each exists, and what the pages import of the app is named on this page."""
    header = ["module, class or function of `grant_management`", "what", "page"]
    used = [name for row in rows("python", header) for name in codes(row[0])]
    assert len(used) > 20
    assert [name for name in used if not is_there(name)] == []
    imported = {
        f"{module}.{name}"
        for page in ROOT.glob("docs/**/*.md")
        for module, names in re.findall(
            r"^from (grant_management[\w.]*) import (\([^)]*\)|.*)", page.read_text(), re.MULTILINE
        )
        for name in re.findall(r"\w+", re.sub(r" as \w+|#.*", "", names))
        if module != "grant_management.signals"
    }
    words = set(re.findall(r"\w+", PYTHON.partition("## The docstrings")[0]))
    assert {one for one in imported if one.rpartition(".")[2] not in words} == set()


def is_there(name):
    """Whether a module of the app has that name, or defines it. Nothing is imported: an extra may
    be missing.
    """
    place = (ROOT / "grant_management").joinpath(*name.split("."))
    if place.is_dir() or place.with_suffix(".py").is_file():
        return True
    source = place.parent.with_suffix(".py")
    defined = rf"^(class |def |)(?={place.name}\b)"
    return source.is_file() and re.search(defined, source.read_text(), re.MULTILINE) is not None
