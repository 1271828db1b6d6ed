import contextlib

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error

from .demo import PATIENCE, find_chromium, log_in, must_have, running_browser, running_demo
from .empty import running_console

WCAG = {
    "preload": False,
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"],
}
CONTRAST = {"preload": False, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A fixture's end knows whether its test failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def chromium(request):
    """It is there, and this is the run that uses it."""
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("the demo has a database of its own: seen with --db sqlite")
    if find_chromium() is None:
        message = "needs Chromium: apt-get install chromium"
        pytest.fail(message) if must_have() else pytest.skip(message)


@pytest.fixture(scope="module")
def demo(chromium):
    with running_demo() as demo:
        yield demo


@pytest.fixture
def console(chromium, tmp_path):
    """A server with an empty database."""
    with running_console(tmp_path) as console:
        yield console


@pytest.fixture
def patience():
    """Seconds that a test's browser has."""
    return PATIENCE


@pytest.fixture
def browser(chromium, patience):
    with running_browser(patience) as browser:
        yield browser


@pytest.fixture
def tolerated():
    """The beginnings of what a browser's console may say without a test failing."""
    return ()


@pytest.fixture
def open_page(browser, request, tolerated):
    """A page in a browser context of its own; what went wrong in it fails the test."""
    wrong, pages = [], []

    def hear(message):
        if message.type in ("error", "warning") and not message.text.startswith(tolerated):
            wrong.append(f"{message.text} {message.location}")

    def open_(**options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        page = context.new_page()
        pages.append(page)
        page.on("console", hear)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.set_default_timeout(15_000)
        return page

    yield open_
    if request.node.stash[FAILED]:
        for page in pages:
            print(shown(page))
    assert wrong == []


def shown(page):
    """What a browser shows, for the report of a test that failed."""
    if page.is_closed():
        return "a closed page"
    with contextlib.suppress(Error):
        return f"{page.url}\n{page.inner_text('body', timeout=1_000)[:3_000]}"
    return page.url


@pytest.fixture
def operator(open_page, demo):
    """A page of somebody who has logged in."""

    def log_in_(**options):
        page = open_page(**options)
        log_in(page, demo)
        return page

    return log_in_


@pytest.fixture(scope="session")
def axe():
    """What axe finds on a page against WCAG 2.2 A and AA."""
    checker = Axe()

    def check(page, options=WCAG):
        found = checker.run(page, options=options).response["violations"]
        return [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found]

    return check


@pytest.fixture(scope="session")
def axe_in_both_themes(axe):
    """The same; of the dark theme the contrast, which is all that a theme changes."""

    def check(page):
        found = axe(page)
        page.emulate_media(color_scheme="dark")
        # Colours that are on their way from one theme to the other are of neither.
        page.wait_for_function(
            "document.getAnimations().every((one) => one.playState !== 'running')"
        )
        found += axe(page, CONTRAST)
        page.emulate_media(color_scheme="light")
        return found

    return check
