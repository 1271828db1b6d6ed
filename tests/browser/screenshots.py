"""The pictures of the documentation, taken of the demo: `python3 run.py screenshots`."""

import sys

from ..standalone import ROOT
from .demo import find_chromium, log_in, log_in_as_person, running_browser, running_demo

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1280, "height": 860}


def main():
    """Exit code 1: there is no browser to take them with."""
    if find_chromium() is None:
        print("Chromium is needed: apt-get install chromium", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    with running_demo() as demo, running_browser() as browser:
        for theme in ("light", "dark"):
            page = browser.new_context(viewport=SIZE, color_scheme=theme).new_page()
            log_in(page, demo)
            for name in _pages(page, demo):
                suffix = "" if theme == "light" else "-dark"
                page.screenshot(path=IMAGES / f"{name}{suffix}.png")
                print(f"docs/images/{name}{suffix}.png")
            person = browser.new_context(viewport=SIZE, color_scheme=theme).new_page()
            log_in_as_person(person, demo)
            name = f"connected-apps{'' if theme == 'light' else '-dark'}.png"
            person.screenshot(path=IMAGES / name)
            print(f"docs/images/{name}")
    return 0


def _pages(page, demo):
    """The name of each picture, once its page is open."""
    page.goto(demo.url("dailycount/"))
    yield "overview"
    page.goto(demo.url("grant/"))
    yield "grants"
    page.goto(demo.url("grant/?authorization_type=payment_initiation"))
    page.click("[data-row] a")
    yield "grant"
    page.goto(demo.url("grant/?status=active&client=budget-app"))
    page.click("[data-row] a")
    page.click("text=Revoke…")
    yield "revoke"
    page.goto(demo.url("sweep/start/"))
    page.fill("[name=client]", "tax-helper")
    page.click("[value=Check]")
    yield "revoke-by-filter"
    page.goto(demo.url("call/?code=A281305"))
    page.click("[data-row] a")
    yield "call"


if __name__ == "__main__":
    sys.exit(main())
