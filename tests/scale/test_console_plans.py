"""The console with a million grants: few statements, and none that reads a large table whole."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as HTTP

from benchmarks.console.page import APP, unlisted
from benchmarks.console.pages import PAGES
from benchmarks.console.rows import OPERATOR
from grant_management.models.grant_filter import LOOK

from .plans import MOST_ROWS, read_far, statements

MOST = 45
"""The most statements of a page."""


LOOK_FURTHER = {
    "events of organizations: of a kind that none has": (60_000, "no index has kinds: 6 ms"),
    "events of organizations: the file of a kind that none has": (60_000, "the same"),
    "events of organizations: the other file": (60_000, "the same"),
    "one job: its report": (60_000, "it counts each event of its job"),
    "revoke by filter: created_before": (LOOK + 1, "where it stops to look"),
}
"""Pages that look at more rows of a large table than they show, at most how many, and why:
docs/explanation/performance.md says so too.
"""


@pytest.fixture
def site(settings, db):
    """The console, and the pages of the people whose grants these are."""
    settings.ROOT_URLCONF = "benchmarks.console.urls"
    subject = {"SELF_SERVICE_SUBJECT": "benchmarks.console.urls.person_of"}
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | subject
    return settings


@pytest.mark.parametrize("name", PAGES)
def test_a_page_finds_its_rows_by_an_index(site, known, name):
    page, http = PAGES[name], HTTP()
    if page.name.startswith(APP):
        site.INSTALLED_APPS = [*site.INSTALLED_APPS, "grant_management.contrib.self_service"]
    else:
        http.force_login(get_user_model().objects.get(username=OPERATOR))
    with statements() as made:
        page.ask(http, known)
    assert len(made) <= MOST
    most, _why = LOOK_FURTHER.get(name, (MOST_ROWS, ""))
    assert read_far(made, most) == []


def test_every_page_is_listed(site):
    assert unlisted(PAGES.values()) == set()
