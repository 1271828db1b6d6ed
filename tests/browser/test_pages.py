"""What every page has around it: a strict policy, and the keys."""

from .demo import second_try

pytestmark = second_try
POLICY = {"script-src 'self'", "style-src 'self'", "default-src 'none'"}


def test_the_policy(operator, demo):
    page = operator()
    response = page.goto(demo.url("grant/"))
    policy = response.headers["content-security-policy"]
    assert {part.strip() for part in policy.split(";")} >= POLICY


def test_the_keys_are_shown(operator, demo):
    page = operator()
    page.goto(demo.url("grant/"))
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_keys_go_from_row_to_row(operator, demo):
    page = operator()
    page.goto(demo.url("grant/?q=budget-app&status=active"))
    for key in "jjk":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Budget App for')")
