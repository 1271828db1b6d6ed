"""The menu and the search, in a real Chromium."""

import contextlib
from uuid import uuid4

import pytest
from playwright.sync_api import Error

from .demo import second_try
from .hand import MENU, SUBMIT, Keyboard, Mouse
from .view import SIZES

pytestmark = second_try


def hand_of(kind, page):
    """One that does not look closely at the pages."""
    return kind(page, look=lambda page: None)


def test_all_grants_on_the_persons_page(operator, demo):
    page, subject = operator(), f"caller-{uuid4()}"
    demo.give("budget-app", subject, 2)
    hand = hand_of(Mouse, page)
    hand.start(demo.url("dailycount/"))
    hand.search(subject)
    hand.follow(f".gm-hits a:text-is('{subject}')")
    assert page.inner_text("h1") == subject
    hand.follow("[value=all]")
    hand.tick("[name=reason][value=other]")
    hand.follow(SUBMIT, then=".messagelist")
    assert hand.clicks <= 5
    hand.search(subject)
    assert page.locator("[name=grant]").count() == 0


class TestTheMenu:
    TASKS = ["Overview", "People", "Grants", "Clients", "Revoke by filter", "Calls", "Events"]

    @pytest.mark.parametrize("size", SIZES)
    def test_it_is_there(self, operator, demo, size):
        page = operator(**SIZES[size])
        for name in ("grant", "service", "apitoken"):
            page.goto(demo.url(f"{name}/"))
            if page.is_visible(".gm-menu"):
                page.click(".gm-menu")
            for label in self.TASKS:
                assert page.is_visible(f"{MENU} a:text-is('{label}')")
            page.click(f"{MENU} summary:text-is('Settings')")
            page.click(f"{MENU} a:text-is('Services')")
            page.wait_for_url("**/service/")
            assert "In view: All services" in page.inner_text(".gm-view")

    def test_by_keyboard(self, operator, demo):
        """It has the focus while it is open, and gives it back."""
        page = operator(**SIZES["400 % zoom"])
        hand = hand_of(Keyboard, page)
        page.goto(demo.url("grant/"))
        hand.act(".gm-menu")
        page.wait_for_selector(f"{MENU} a:focus")
        page.keyboard.press("Escape")
        assert not page.is_visible(MENU)
        assert page.locator(".gm-menu:focus").count() == 1
        hand.act(".gm-menu")
        page.wait_for_selector(f"{MENU} a:focus")
        hand.act(f"{MENU} li:last-child > details > summary")
        hand.follow(f"{MENU} a[href$='/codes/']")

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
        page.click(f"{MENU} a:text-is('People')")
        page.wait_for_url("**/people/")
        page.fill("#gm-search", "user-1")
        page.click(".gm-search button")
        assert "user-1" in page.inner_text("main")


TYPED = "[...document.querySelectorAll('input')].map((box) => box.value).join(' ')"
"""What is typed into the boxes of a page, which a browser may fill in again."""


def test_the_text_is_in_no_url_and_no_history(operator, demo):
    page = operator()
    urls = []
    page.on("request", lambda request: urls.append(request.url))
    hand_of(Mouse, page).search(demo.access_token)
    assert "Access token" in page.inner_text("main")
    assert demo.access_token not in page.content()
    hand_of(Mouse, page).search("user-77-of-nobody")
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
