"""The phone call, the menu and the search: in a real Chromium, with the clicks counted."""

import contextlib
from pathlib import Path

import pytest
from playwright.sync_api import Error

from ..exports import read_csv
from .demo import second_try

pytestmark = second_try
SIZES = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "360 px": {"viewport": {"width": 360, "height": 740}},
    "400 % zoom": {"viewport": {"width": 320, "height": 256}, "device_scale_factor": 4},
}
THEMES = ["light", "dark"]
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Hand:
    """Somebody with a mouse, whose clicks are counted. What is typed needs none."""

    def __init__(self, page):
        self.page = page
        self.clicks = 0

    def click(self, selector):
        self.page.click(selector)
        self.clicks += 1

    def follow(self, selector):
        with self.page.expect_navigation():
            self.click(selector)

    def search(self, text):
        self.click("#gm-search")
        self.page.keyboard.type(text)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


@pytest.fixture(params=SIZES, ids=list(SIZES))
def size(request):
    return SIZES[request.param]


def somebody(page, demo, grants):
    """The subject of so many living grants."""
    for number in range(1, 60):
        page.goto(demo.url("dailycount/"))
        Hand(page).search(f"user-{number}")
        if page.locator("[name=grant]").count() >= grants:
            page.goto(demo.url("dailycount/"))
            return f"user-{number}"
    raise AssertionError("the demo has nobody with so many grants")


def revoke(hand):
    hand.click("label:has-text('requested by user')")
    hand.page.fill("[name=ticket]", "T-1")
    hand.follow("[type=submit][value=Revoke]")
    assert "This page is the receipt." in hand.page.inner_text(".messagelist")


@pytest.mark.parametrize("theme", THEMES)
def test_the_phone_call(operator, demo, size, theme):
    page = operator(color_scheme=theme, **size)
    subject = somebody(page, demo, 1)
    hand = Hand(page)
    hand.search(subject)
    hand.follow("[name=one] >> nth=0")
    revoke(hand)
    assert hand.clicks <= 5
    assert "1 grant revoked" in page.inner_text("main")


def test_each_further_grant(operator, demo):
    page = operator()
    subject, grants = somebody(page, demo, 3), 3
    hand = Hand(page)
    hand.search(subject)
    for number in range(grants):
        hand.click(f"[name=grant] >> nth={number}")
    hand.follow("[value=selected]")
    revoke(hand)
    assert hand.clicks <= 5 + (grants - 1)
    assert "3 grants revoked" in page.inner_text("main")


def test_all_of_them_on_the_persons_page(operator, demo):
    page = operator()
    subject = somebody(page, demo, 2)
    hand = Hand(page)
    hand.search(subject)
    hand.follow(f".gm-hits a:text-is('{subject}')")
    assert page.inner_text("h1") == subject
    hand.follow("[value=all]")
    revoke(hand)
    assert hand.clicks <= 5
    page.goto(demo.url("dailycount/"))
    hand.search(subject)
    assert page.locator("[name=grant]").count() == 0


def test_by_keyboard(operator, demo, size):
    page = operator(**size)
    subject = somebody(page, demo, 1)
    keys = page.keyboard
    keys.press("/")
    keys.type(subject)
    with page.expect_navigation():
        keys.press("Enter")
    tab_to(page, "document.activeElement.name === 'one'")
    with page.expect_navigation():
        keys.press("Enter")
    tab_to(page, "document.activeElement.name === 'reason'")
    keys.press("Space")
    tab_to(page, "document.activeElement.name === 'ticket'")
    keys.type("T-2")
    with page.expect_navigation():
        keys.press("Enter")
    assert "This page is the receipt." in page.inner_text(".messagelist")


def tab_to(page, condition):
    for _ in range(80):
        if page.evaluate(condition):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not get there")


class TestTheMenu:
    TASKS = ["Overview", "People", "Grants", "Clients", "Revoke by filter", "Calls", "Events"]

    def test_it_is_there(self, operator, demo, size):
        page = operator(**size)
        for name in ("grant", "service", "apitoken"):
            page.goto(demo.url(f"{name}/"))
            if page.is_visible(".gm-menu"):
                page.click(".gm-menu")
            for label in self.TASKS:
                assert page.is_visible(f"#gm-navigation a:text-is('{label}')")
            page.click("#gm-navigation summary:text-is('Settings')")
            page.click("#gm-navigation a:text-is('Services')")
            page.wait_for_url("**/service/")
            assert "In view: All services" in page.inner_text(".gm-view")

    def test_by_keyboard(self, operator, demo):
        page = operator(**SIZES["400 % zoom"])
        page.goto(demo.url("grant/"))
        tab_to(page, "document.activeElement.className === 'gm-menu'")
        page.keyboard.press("Enter")
        tab_to(page, "document.activeElement.textContent === 'Advanced'")
        page.keyboard.press("Enter")
        tab_to(page, "document.activeElement.textContent === 'Result codes'")
        page.keyboard.press("Enter")
        page.wait_for_url("**/codes/")

    def test_without_a_script(self, operator, demo):
        """The cookie of the login is taken along to a browser that runs none."""
        state = operator().context.storage_state()
        page = (
            operator()
            .context.browser.new_context(
                java_script_enabled=False, storage_state=state, **SIZES["360 px"]
            )
            .new_page()
        )
        page.goto(demo.url("grant/"))
        page.click(".gm-menu")
        page.click("#gm-navigation a:text-is('People')")
        page.wait_for_url("**/people/")
        page.fill("#gm-search", "user-1")
        page.click(".gm-search button")
        assert "user-1" in page.inner_text("main")


def console(page, demo):
    """Each page of this part, once it is open."""
    page.goto(demo.url("grant/people/"))
    yield "people"
    Hand(page).search("nothing at all")
    yield "nothing found"
    Hand(page).search("budget")
    yield "a client"
    with page.expect_navigation():
        page.click(".gm-hits a >> nth=0")
    yield "the client's page"
    subject = somebody(page, demo, 1)
    Hand(page).search(subject)
    yield "a person"
    with page.expect_navigation():
        page.click(f".gm-hits a:text-is('{subject}')")
    yield "the person's page"
    with page.expect_navigation():
        page.click("[value=all]")
    yield "the preview"
    page.click("label:has-text('other')")
    with page.expect_navigation():
        page.click("[type=submit][value=Revoke]")
    yield "the receipt"
    page.goto(demo.url("call/codes/"))
    if page.is_visible(".gm-menu"):
        page.click(".gm-menu")
    page.click("#gm-navigation summary:text-is('Advanced')")
    yield "the menu"
    page.goto(f"{demo.admin}auth/user/")
    yield "users"


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing(operator, demo, axe, size, theme):
    page = operator(color_scheme=theme, bypass_csp=True, **size)
    found = {}
    for name in console(page, demo):
        if name == "users":
            continue  # a page of Django's
        if wrong := axe(page):
            found[name] = wrong
    assert found == {}


def test_it_fits(operator, demo, size):
    page = operator(**size)
    wide = {name: more for name in console(page, demo) if (more := page.evaluate(WIDTH)) > 0}
    assert wide == {}


TYPED = "[...document.querySelectorAll('input')].map((box) => box.value).join(' ')"
"""What is typed into the boxes of a page, which a browser may fill in again."""


def test_the_text_is_in_no_url_and_no_history(operator, demo):
    page = operator()
    urls = []
    page.on("request", lambda request: urls.append(request.url))
    Hand(page).search(demo.access_token)
    assert "Access token" in page.inner_text("main")
    assert demo.access_token not in page.content()
    Hand(page).search("user-77-of-nobody")
    assert "Nothing was found." in page.inner_text("main")
    assert not [url for url in urls if demo.access_token in url or "user-77" in url]
    for _ in range(2):
        with contextlib.suppress(Error):  # what was posted and is not stored cannot be shown again
            page.go_back()
        shown = _shown(page)
        for text in (demo.access_token, "user-77-of-nobody"):
            assert text not in shown
    page.wait_for_url(demo.url("dailycount/"))


def _shown(page):
    """The address, the page and what its boxes have, once it no longer changes."""
    for _ in range(100):
        with contextlib.suppress(Error):  # Chromium may be on its way to a page that says why
            return f"{page.url} {page.content()} {page.evaluate(TYPED)}"
        page.wait_for_timeout(100)
    raise AssertionError("it goes on changing")


def test_the_auditors_file(operator, demo):
    """The events of one kind by one actor, as CSV: from the overview, with the mouse."""
    page = operator()
    page.goto(demo.url("dailycount/"))
    hand = Hand(page)
    hand.follow("#gm-navigation a:text-is('Events')")
    hand.click("[name=kind]")
    page.select_option("[name=kind]", "revoked")
    hand.click("[name=actor_kind]")
    page.select_option("[name=actor_kind]", "operator")
    hand.click("[name=q]")
    page.keyboard.type("demo")
    with page.expect_download() as download:
        hand.click("text=Export CSV")
    assert hand.clicks <= 5
    rows = read_csv(Path(download.value.path()).read_bytes())
    assert {row["kind"] for row in rows} <= {"revoked"}
