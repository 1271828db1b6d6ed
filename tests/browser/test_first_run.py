"""The first run in a real Chromium, from an empty database to the call that arrived: by mouse and by
keyboard alone, on a phone and at 400 %; and its programs, as they stand on the page, are run.
"""

import json
import shutil
import urllib.request

import pytest

from .demo import log_in, second_try
from .empty import run_program, running_console

pytestmark = second_try
# A window 1280 pixels wide shows 320 of them at 400 % (WCAG 1.4.10).
SIZES = {"desk": (1280, 900), "phone": (360, 740), "400 %": (320, 256)}
PROGRAMS = {"curl": "curl", "TypeScript": "node", "Python": "python3", "Java": "java", "Go": "go"}
"""Each language and what runs it. Go is run where it is installed."""


@pytest.fixture
def console(chromium, tmp_path):
    with running_console(tmp_path) as console:
        yield console


def fits(page):
    wide = page.evaluate("document.documentElement.scrollWidth")
    return wide <= page.evaluate("window.innerWidth")


def programs_of(page):
    """The programs that a page shows: their language, file and text."""
    return page.eval_on_selector_all(
        ".gm-snippets details",
        "all => all.map(one => [one.querySelector('summary').textContent,"
        " one.querySelector('p').textContent, one.querySelector('pre').textContent])",
    )


def call(page, value):
    """Make the call that the page shows."""
    url = next(text for language, _, text in programs_of(page) if language == "curl").split("'")[1]
    body = json.dumps({"gmAction": "QUERY", "grantId": "x", "accessToken": "x"}).encode()
    headers = {"Authorization": f"Bearer {value}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        return json.loads(answer.read())


def to_token(page):
    """From the checklist to the page that shows the token's value; it leaves each page checked."""
    page.click("text=Create an organization…")
    yield "new organization"
    page.fill("[name=name]", "Example Bank")
    page.click("[type=submit][value=Save]")
    yield "one step done"
    page.click("text=Create a service…")
    yield "new service"
    page.fill("[name=name]", "Retail")
    page.click("[type=submit][value=Save]")
    page.click("text=Issue an API token…")
    yield "issue"
    page.fill("[name=description]", "first")
    page.click("[value='Issue API token']")
    yield "shown once"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_by_mouse(open_page, console, axe, size, theme):
    width, height = SIZES[size]
    page = open_page(
        viewport={"width": width, "height": height}, color_scheme=theme, bypass_csp=True
    )
    log_in(page, console)
    assert page.url.endswith("/organization/first-run/")
    assert (axe(page), fits(page)) == ([], True)
    for name in to_token(page):
        assert (axe(page), fits(page)) == ([], True), name
    value = page.input_value("#value")
    assert len(programs_of(page)) == 5
    page.click("text=I have stored it")
    assert "Waiting for the first call" in page.inner_text("main")
    assert value not in page.content()
    assert (axe(page), fits(page)) == ([], True)
    assert call(page, value)["resultCode"] == "A279306"
    page.wait_for_selector("text=The call arrived")  # by itself
    assert (axe(page), fits(page)) == ([], True)
    page.click("text=Look at the call")
    assert "does not exist at this service" in page.inner_text("h1")


def test_by_keyboard_alone_and_without_javascript(open_page, console):
    page = open_page(java_script_enabled=False)
    page.goto(console.admin)
    page.keyboard.type(console.user)
    page.keyboard.press("Tab")
    page.keyboard.type(console.password)
    enter(page)
    page.wait_for_selector("text=These steps lead")
    tab_to(page, "a", "Create an organization…")
    enter(page)
    tab_to(page, "[name=name]")
    page.keyboard.type("Example Bank")
    enter(page)
    tab_to(page, "a", "Create a service…")
    enter(page)
    tab_to(page, "[name=name]")
    page.keyboard.type("Retail")
    enter(page)
    tab_to(page, "a", "Issue an API token…")
    enter(page)
    tab_to(page, "[name=description]")
    page.keyboard.type("first")
    enter(page)
    page.wait_for_selector("#value")
    value = page.input_value("#value")
    tab_to(page, "a", "I have stored it")
    enter(page)
    page.wait_for_selector("text=Waiting for the first call")
    call(page, value)
    tab_to(page, "a", "Reload")
    enter(page)
    page.wait_for_selector("text=The call arrived")


def enter(page):
    """Press it, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def tab_to(page, selector, text=None):
    """Press Tab until the focus is there: Playwright sees it without the page's scripts."""
    said = "" if text is None else f":text-is('{text}')"
    page.locator(f"{selector}{said}").first.wait_for(state="attached")  # the page is that one
    focused = f"{selector}:focus{said}"
    for _ in range(80):
        if page.locator(focused).count():
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not get to {selector} {text}")


def test_the_programs_run(open_page, console, tmp_path):
    """With the value in them, and with the value in the environment."""
    there = {language for language, tool in PROGRAMS.items() if shutil.which(tool)}
    assert there >= {*PROGRAMS} - {"Go"}, "needs curl, Node.js, Python and Java"
    page = open_page()
    log_in(page, console)
    for _name in to_token(page):
        pass
    value = page.input_value("#value")
    shown = programs_of(page)
    page.click("text=I have stored it")
    for programs, variables in ((shown, {}), (programs_of(page), {"API_TOKEN": value})):
        assert [language for language, _, _ in programs] == list(PROGRAMS)
        for language, says, text in programs:
            assert (value in text) == (not variables)
            if language in there:
                file = says.split("Save it as ")[1].split(",")[0]
                assert "A279306" in run_program(file, text, tmp_path, **variables), language


def test_an_error_has_the_focus(open_page, console):
    page = open_page()
    log_in(page, console)
    page.click("text=Create an organization…")
    page.click("[type=submit][value=Save]")
    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.name") == "name"
    assert "This field is required." in page.inner_text(".gm-wrong")
