"""Every page: accessible, in both themes, and no wider than its window. Pages that a story reaches by
a form are looked at there.
"""

import json
import subprocess
import sys
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from ..standalone import ROOT, environment
from .demo import PATIENCE, log_in_as_person, second_try, speak
from .view import LANGUAGES, SIZES, WIDER

pytestmark = [second_try, pytest.mark.timeout(1_500)]
NO_PAGES = {
    "logout": "takes a form, and ends the login",
    "_columns": "takes a form, and leads back to the list",
    "_save_view": "takes a form, and leads back to the list",
    "_suggest": "answers what is typed into a field",
    "_utc": "answers what is typed into a field",
    "_delete_view": "takes a form, and leads back to the list",
}
"""The ends of the names of URLs that answer no GET, and why."""
WIDTHS = [one["viewport"] for one in SIZES.values()]


@pytest.fixture
def patience():
    """A browser opens hundreds of pages here."""
    return 5 * PATIENCE


@pytest.fixture
def tolerated():
    """Pages that refuse are among those that are looked at."""
    return ("Failed to load resource: the server responded with a status of 40",)


@pytest.fixture(scope="module")
def addresses(demo):
    """An address for the name of each URL: `admin` and `person`."""
    port = urlsplit(demo.admin).port
    url = f"sqlite:///{ROOT / f'gm_project/.demo/{port}.sqlite3'}"
    settings = {"DJANGO_SETTINGS_MODULE": "gm_project.demo.site.settings", "SECRET_KEY": "x" * 50}
    line = [sys.executable, "-m", "tests.browser.addresses", demo.person]
    env = environment(DATABASE_URL=url, **settings)
    return json.loads(subprocess.check_output(line, cwd=ROOT, env=env))


def pytest_generate_tests(metafunc):
    """English; with `--slow` every language, such as German for its long words."""
    if "language" in metafunc.fixturenames:
        is_slow = metafunc.config.getoption("--slow")
        metafunc.parametrize("language", LANGUAGES if is_slow else LANGUAGES[:1])


@pytest.fixture
def wrong_with(axe_in_both_themes):
    """What is wrong with the page that is open; {}: nothing."""

    def wrong_with_(page, *, is_checked=True):
        page.eval_on_selector_all(
            "main details, .gms details", "all => all.forEach((one) => { one.open = true; })"
        )
        wrong = axe_in_both_themes(page) if is_checked else []
        found = {"axe": wrong} if wrong else {}
        for viewport in reversed(WIDTHS):
            page.set_viewport_size(viewport)
            if (more := page.evaluate(WIDER)) > 0:
                found[viewport["width"]] = more
        return found

    return wrong_with_


def open_each(page, addresses, host):
    """The name of each page, once it is open, with its status. A file is no page."""
    for name, path in addresses.items():
        answer = page.request.get(f"{host}{path}")
        if answer.status == 405:
            yield name, answer.status
        elif answer.headers.get("content-type", "").startswith("text/html"):
            page.goto(f"{host}{path}")
            yield name, answer.status


def walk(page, addresses, host, wrong_with, step):
    """What is wrong, by name; and the names of what answers no GET. Refusals of one kind are alike.
    Every `step`-th page is checked by axe.
    """
    wrong, unopened, refusals = {}, set(), set()
    for place, (name, status) in enumerate(open_each(page, addresses, host)):
        if status == 405:
            unopened.add(name)
        elif status < 400 or page.title() not in refusals:
            refusals |= {page.title()} if status >= 400 else set()
            found = wrong_with(page, is_checked=place % step == 0)
            if found:
                wrong[name] = found
    return wrong, unopened


def test_every_page_of_the_admin(operator, demo, addresses, wrong_with, language, request):
    """Every sixth one with axe, with `--slow` each: they share their parts."""
    step = 1 if request.config.getoption("--slow") else 6
    page = operator(bypass_csp=True)
    host = demo.admin.removesuffix("/admin/")
    speak(page, demo, language)
    wrong, unopened = walk(page, addresses["admin"], host, wrong_with, step)
    assert wrong == {}
    assert {one for one in unopened if not one.endswith(tuple(NO_PAGES))} == set()
    assert [end for end in NO_PAGES if not any(one.endswith(end) for one in unopened)] == []


def test_every_page_of_a_person(open_page, demo, addresses, wrong_with, language):
    host = demo.admin.removesuffix("/admin/")
    more = {
        "without access": f"{urlsplit(demo.apps).path}?ended",
        "not there": f"{urlsplit(demo.apps).path}9999999/",
    }
    page = open_page(locale=language, bypass_csp=True)
    log_in_as_person(page, demo)
    wrong, unopened = walk(page, addresses["person"] | more, host, wrong_with, 1)
    assert (wrong, unopened) == ({}, set())


def strangers(page, demo):
    """Pages of somebody who has not logged in, or cannot."""
    host = demo.admin.removesuffix("admin/")
    for path in ("", "admin/login/", "account/login/", "api/schema/page"):
        page.goto(f"{host}{path}")
        if "schema" in path:
            page.wait_for_selector("#operations-Health-getLiveness")
        yield path
        if path.endswith("login/"):
            page.fill("[name=username]", "nobody")
            page.fill("[name=password]", "wrong")
            with page.expect_navigation():
                page.press("[name=password]", "Enter")
            yield f"{path} with an error"


def states(page, demo):
    """What no address leads an operator to: answers, refusals, what is open, what is at work."""
    page.goto(demo.url("grant/"))
    page.fill("#gm-search", "nobody has this")
    with page.expect_navigation():
        page.press("#gm-search", "Enter")
    yield "nothing was found"
    nobodys = demo.url(f"grant/{UUID(int=0)}/change/")
    for url in (demo.apps, f"{demo.admin}nowhere/", nobodys, demo.url("")):
        page.goto(url)
        yield url
    page.goto(demo.url("organization/create/"))
    with page.expect_navigation():
        page.click("form.gm-form .default")
    yield "a form with an error"
    page.goto(demo.url("grant/?status=active&period=90d"))
    yield "a list with filters"
    page.eval_on_selector_all("[data-working]", "all => all.forEach((one) => one.hidden = false)")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    yield "at work, and the keys"


@pytest.mark.parametrize("pages", [strangers, states])
def test_pages_in_between(open_page, operator, demo, wrong_with, pages, request):
    page = open_page(bypass_csp=True) if pages is strangers else operator(bypass_csp=True)
    # Of Swagger UI's page the width alone: its contrasts and buttons are its own.
    found = {name: wrong_with(page, is_checked="schema" not in name) for name in pages(page, demo)}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
