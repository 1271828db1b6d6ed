"""The pictures of the documentation, taken of the demo: `python3 run.py screenshots`."""

import sys
import tempfile
from pathlib import Path

from ..standalone import ROOT
from .demo import PATIENCE, find_chromium, log_in, log_in_as_person, running_browser, running_demo
from .empty import running_console
from .first_call import to_service

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1280, "height": 860}
CALLER = "user-17"
"""Somebody of the demo's past who is on the phone."""


def main():
    """Exit code 1: there is no browser to take them with."""
    if find_chromium() is None:
        print("Chromium is needed: apt-get install chromium", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    with running_browser(5 * PATIENCE) as browser, tempfile.TemporaryDirectory() as folder:
        with running_demo() as demo:
            for show in (_operators_pages, _persons_pages):
                _take(browser, lambda page, show=show: show(page, demo))
            _take(browser, lambda page: _receipt(page, demo))
        with running_console(Path(folder)) as console:
            _take(browser, lambda page: _first_run(page, console))
    return 0


def _take(browser, show):
    """A picture of each page that is shown, in both themes."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    for name in show(page):
        for theme, suffix in (("light", ""), ("dark", "-dark")):
            page.emulate_media(color_scheme=theme)
            # Colours that are on their way from one theme to the other are of neither.
            page.screenshot(path=IMAGES / f"{name}{suffix}.png", animations="disabled")
            print(f"docs/images/{name}{suffix}.png")
    context.close()


def _operators_pages(page, demo):
    """The name of each picture, once its page is open."""
    log_in(page, demo)
    page.goto(demo.url("dailycount/"))
    yield "overview"
    page.goto(demo.url("grant/"))
    yield "grants"
    page.goto(demo.url("grant/?authorization_type=payment_initiation"))
    _follow(page, "[data-row] a")
    yield "grant"
    page.goto(demo.url("grant/?status=active&client=budget-app"))
    _follow(page, "[data-row] a")
    _follow(page, "text=Revoke…")
    yield "revoke"
    page.goto(demo.url("sweep/start/"))
    page.fill("[name=client]", "tax-helper")
    _follow(page, "[value=Check]")
    yield "revoke-by-filter"
    page.goto(demo.url("call/?code=A281305"))
    _follow(page, "[data-row] a")
    yield "call"
    _search(page, demo, CALLER)
    yield "search"
    _follow(page, f".gm-hits a:text-is('{CALLER}')")
    yield "person"
    _search(page, demo, "budget-app")
    _follow(page, ".gm-hits a")
    yield "client"


def _receipt(page, demo):
    """The last: it revokes what the other pictures show."""
    log_in(page, demo)
    _search(page, demo, CALLER)
    _follow(page, "[name=these][value=all]")
    page.check("[value='requested by user']")
    page.fill("[name=ticket]", "T-1042")
    _follow(page, "form.gm-form [type=submit]")
    page.reload()  # without the message
    yield "receipt"


def _persons_pages(page, demo):
    log_in_as_person(page, demo)
    yield "connected-apps"


def _first_run(page, console):
    log_in(page, console)
    to_service(page)
    yield "first-run"


def _search(page, demo, text):
    page.goto(demo.url("dailycount/"))
    page.fill("#gm-search", text)
    with page.expect_navigation():
        page.press("#gm-search", "Enter")


def _follow(page, selector):
    with page.expect_navigation():
        page.click(selector)


if __name__ == "__main__":
    sys.exit(main())
