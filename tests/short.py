"""The short form of the suite: what `run.py test` runs, and with it `.ci/run`. `--slow` runs the rest too.

A file, a folder or a test that is named on the command line runs whole, in either form.
"""

from .standalone import ROOT

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
    "tests/admin/test_admin.py",
    "tests/admin/test_admin_hostile.py",
    "tests/admin/test_admin_settings.py",
    "tests/admin/test_admin_sweep.py",
    "tests/admin/test_ceremony.py",
    "tests/admin/test_chart.py",
    "tests/admin/test_first_run.py",
    "tests/admin/test_first_timers.py",
    "tests/admin/test_forms.py",
    "tests/admin/test_frame.py",
    "tests/admin/test_giving.py",
    "tests/admin/test_languages.py",
    "tests/admin/test_links.py",
    "tests/admin/test_list_choices.py",
    "tests/admin/test_markup.py",
    "tests/admin/test_navigation.py",
    "tests/admin/test_overview.py",
    "tests/admin/test_person.py",
    "tests/admin/test_plain_words.py",
    "tests/admin/test_short_lists.py",
    "tests/admin/test_time_zones.py",
    "tests/admin/test_translations.py",
    "tests/admin/test_typed.py",
    "tests/admin/test_wording.py",
    "tests/contrib/test_allauth_idp.py",
    "tests/contrib/test_oauth_toolkit.py",
    "tests/contrib/test_oauth_toolkit_bound.py",
    "tests/contrib/test_oauth_toolkit_checks.py",
    "tests/deploy",
    "tests/fields",
    "tests/gm_project/test_doors.py",
    "tests/gm_project/test_front.py",
    "tests/gm_project/test_logs.py",
    "tests/gm_project/test_notify.py",
    "tests/gm_project/test_private_files.py",
    "tests/gm_project/test_project.py",
    "tests/gm_project/test_serving.py",
    "tests/metrics",
    "tests/openapi",
    "tests/statements",
    "tests/test_redaction.py",
    "tests/test_roles.py",
    "tests/test_rules.py",
    "tests/test_trail.py",
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
    """Leave it out by pytest's own options, which the workers of a run get too."""
    if config.args_source is not config.ArgsSource.TESTPATHS:
        return
    names = left_out(config.option)
    tests = [one for one in names if "::" in one]
    paths = [str(ROOT / one) for one in names if "::" not in one]
    config.option.deselect = [*(config.option.deselect or ()), *tests]
    config.option.ignore = [*(config.option.ignore or ()), *paths]


def left_out(option):
    """The beginnings of the IDs of what a run leaves out that names nothing."""
    is_postgresql = option.db == "postgresql"
    once = ONCE if is_postgresql else ()
    if option.slow:
        return once
    return (*LONG, *once, *(ON_SQLITE if is_postgresql else ON_POSTGRESQL))
