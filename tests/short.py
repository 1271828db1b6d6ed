"""The short form of the suite: what `run.py test` runs, and with it `.ci/run`. `--slow` runs the rest too.

A file, a folder or a test that is named on the command line runs whole, in either form.
"""

import os

import pytest

from .standalone import ROOT

NAMED = "TESTS_NAMED"
"""In the environment, for the workers of a run: something was named."""

LONG = (
    "tests/admin/test_admin_times.py",
    "tests/browser/test_ceremony.py",
    "tests/browser/test_console.py",
    "tests/browser/test_first_run.py",
    "tests/browser/test_lists.py",
    "tests/browser/test_operators.py",
    "tests/browser/test_self_service.py",
    "tests/capacity",
    "tests/conformance/test_wrong_servers.py",
    "tests/contrib/test_try_command.py",
    "tests/docs/test_run.py::test_page_can_be_followed[docs/",
    "tests/docs_pages",
    "tests/events/test_every_receiver.py",
    "tests/events/test_kills.py",
    "tests/events/test_signal_kills.py",
    "tests/gm_project/test_exporting.py",
    "tests/gm_project/test_first_contact.py",
    "tests/gm_project/test_login.py",
    "tests/gm_project/test_no_path_in_logs.py",
    "tests/gm_project/test_purging.py",
    "tests/gm_project/test_restarts.py",
    "tests/gm_project/test_stalled.py",
    "tests/gm_project/test_supervision.py",
    "tests/hosts",
    "tests/openapi/test_schemathesis.py",
)
"""What takes long, and seldom fails alone."""

ONCE = (
    "tests/browser",
    "tests/cluster",
    "tests/conformance",
    "tests/docs",
    "tests/docs_pages",
    "tests/hosts",
    "tests/protocol",
    "tests/release",
    "tests/test_chaos.py",
)
"""What no database answers otherwise: it runs on SQLite."""

ON_SQLITE = (
    "tests/deploy",
    "tests/fields",
    "tests/metrics",
    "tests/openapi",
    "tests/statements",
    "tests/test_redaction.py",
    "tests/test_roles.py",
    "tests/test_rules.py",
    "tests/test_trail.py",
    *(
        f"tests/admin/test_{name}.py"
        for name in (
            *("admin", "admin_hostile", "admin_settings", "admin_sweep", "ceremony", "chart"),
            *("first_run", "first_timers", "forms", "frame", "giving", "languages", "links"),
            *("list_choices", "markup", "navigation", "overview", "person", "plain_words"),
            *("short_lists", "time_zones", "translations", "typed", "wording"),
        )
    ),
    *(
        f"tests/contrib/test_{name}.py"
        for name in ("allauth_idp", "oauth_toolkit", "oauth_toolkit_bound", "oauth_toolkit_checks")
    ),
    *(
        f"tests/gm_project/test_{name}.py"
        for name in ("doors", "front", "logs", "notify", "private_files", "project", "serving")
    ),
)
"""What PostgreSQL seldom answers otherwise: in the short form it runs on SQLite alone."""

ON_POSTGRESQL = (
    "tests/admin/test_exports.py",
    "tests/contrib/test_bridges.py",
    "tests/contrib/test_bridges_grants.py",
    "tests/contrib/test_bridges_races.py",
    "tests/contrib/test_bridges_tokens.py",
    "tests/contrib/test_oauth_toolkit_device.py",
    "tests/contrib/test_oauth_toolkit_grants.py",
    "tests/contrib/test_oauth_toolkit_tokens.py",
)
"""What SQLite seldom answers otherwise: in the short form it runs on PostgreSQL alone."""


def pytest_configure(config):
    if "PYTEST_XDIST_WORKER" not in os.environ:
        is_named = config.args_source is not pytest.Config.ArgsSource.TESTPATHS
        os.environ[NAMED] = "yes" if is_named else ""


def left_out(option):
    """The beginnings of the IDs of what this run leaves out."""
    if os.environ[NAMED]:
        return ()
    is_postgresql = option.db == "postgresql"
    once = ONCE if is_postgresql else ()
    if option.slow:
        return once
    return (*LONG, *once, *(ON_SQLITE if is_postgresql else ON_POSTGRESQL))


def pytest_ignore_collect(collection_path, config):
    name = (
        collection_path.relative_to(ROOT).as_posix() if collection_path.is_relative_to(ROOT) else ""
    )
    return True if name in left_out(config.option) else None


def pytest_collection_modifyitems(config, items):
    """Single tests, which are collected with their file."""
    single = tuple(one for one in left_out(config.option) if "::" in one)
    gone = [item for item in items if item.nodeid.startswith(single)] if single else []
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if not item.nodeid.startswith(single)]
