"""The first run without JavaScript, with mistakes; and its programs, as they stand on the page, are
run. The whole story, by mouse and by keyboard alone: `test_stories.py`.
"""

import shutil

from .demo import log_in, second_try
from .empty import run_program
from .first_call import call_of_page, programs_of, to_service

pytestmark = second_try
PROGRAMS = {"curl": "curl", "TypeScript": "node", "Python": "python3", "Java": "java", "Go": "go"}
"""Each language and what runs it. Go is run where it is installed."""


def to_token(page):
    """From the checklist to the page that shows the token's value, which is returned."""
    to_service(page)
    page.click("text=Issue an API token…")
    page.fill("[name=description]", "first")
    page.click("[value='Issue API token']")
    return page.input_value("#value")


def test_without_javascript(open_page, console):
    page = open_page(java_script_enabled=False)
    log_in(page, console)
    value = to_token(page)
    page.click("text=I have stored it")
    page.wait_for_selector("text=Waiting for the first call")
    call_of_page(page, value)
    page.click("text=Reload")
    page.wait_for_selector("text=The call arrived")


def test_the_programs_run(open_page, console, tmp_path):
    """With the value in them, and with the value in the environment."""
    there = {language for language, tool in PROGRAMS.items() if shutil.which(tool)}
    assert there >= {*PROGRAMS} - {"Go"}, "needs curl, Node.js, Python and Java"
    page = open_page()
    log_in(page, console)
    value = to_token(page)
    shown = programs_of(page)
    page.click("text=I have stored it")
    assert value not in page.content()
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
