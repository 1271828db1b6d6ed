"""A cut-off by filter; a receipt on paper; and times in another zone."""

import io
import unicodedata

import pytest

from .demo import revoke_all_of, second_try, type_the_phrase
from .hand import SUBMIT, Mouse

pytestmark = second_try


def test_a_cut_off_by_filter_with_its_report(operator, demo):
    page = operator()
    hand = Mouse(page, look=lambda page: None)
    hand.start(demo.url("dailycount/"))
    hand.navigate("sweep/start/")
    hand.type("[name=client]", "home-loans")
    hand.type("[name=created_before]", "2020-01-01")
    hand.follow(SUBMIT, then="[name=reason]")
    type_the_phrase(page)
    hand.tick("[name=reason][value='regulator']")
    hand.follow(SUBMIT, then=".gm-done")
    hand.download("button[formaction$='report.csv']")
    assert hand.clicks <= 8


def text_of(pdf):
    """The pages of a PDF, as text without white space."""
    reader = pytest.importorskip("pypdf").PdfReader(io.BytesIO(pdf))
    texts = [
        unicodedata.normalize("NFKC", page.extract_text()) for page in reader.pages
    ]  # ligatures
    return ["".join(text.split()) for text in texts]


def printed(page):
    return page.pdf(prefer_css_page_size=True, print_background=True)


def test_a_receipt_is_one_page_of_paper(operator, demo):
    """Nothing is cut off, and both themes print alike."""
    prints = {}
    for theme in ("light", "dark"):
        page = operator(color_scheme=theme)
        page.goto(demo.url("grantevent/?kind=revoked"))
        page.click("[data-row] a")
        grant = page.inner_text(".gm-receipt dt:text-is('Grant') + dd")
        assert len(grant) > 20
        (text,) = text_of(printed(page))
        for shown in (grant, *page.locator(".gm-receipt dd").all_inner_texts()):
            assert "".join(shown.split()) in text
        page.emulate_media(media="print", color_scheme=theme)
        prints[theme] = page.screenshot(full_page=True)
    assert prints["light"] == prints["dark"]


def test_the_receipt_of_several_prints(operator, demo):
    """Ten grants: nothing is cut off, no more than two pages, and both themes print alike."""
    page = operator()
    revoke_all_of(page, demo, "home-loans")
    page.click(".gm-related a:near(dt:text-is('Revoked grants'))")
    address, prints = page.url, {}
    for theme in ("light", "dark"):
        page = operator(color_scheme=theme)
        page.goto(address)
        rows = page.locator(".gm-receipt td code").all_inner_texts()
        assert len(rows) >= 20  # the grant's ID and the event's of each
        pages = text_of(printed(page))
        assert len(pages) <= 1 + len(rows) // 40
        for shown in (*rows, *page.locator(".gm-receipt dd").all_inner_texts()):
            assert "".join(shown.split()) in "".join(pages)
        page.emulate_media(media="print", color_scheme=theme)
        prints[theme] = page.screenshot(full_page=True)
    assert prints["light"] == prints["dark"]


def test_times_in_another_zone(operator, demo, axe):
    page = operator(bypass_csp=True)
    page.goto(demo.url("grant/"))
    assert "Times are in the time zone UTC." in page.inner_text("footer")
    page.click("text=Change language or time zone")
    page.select_option("[name=time_zone]", "Asia/Tokyo")
    page.click("[type=submit][value=Save]")
    assert axe(page) == []
    page.goto(demo.url("sweep/start/"))
    page.type("[name=created_before]", "2026-01-31 12:00:00")
    page.wait_for_selector("output:has-text('2026-01-31 03:00:00 UTC')")
    assert axe(page) == []
    page.goto(demo.url("operatorpreference/"))
    page.select_option("[name=time_zone]", "UTC")
    page.click("[type=submit][value=Save]")


def test_an_operator_is_created_and_logs_in(operator, demo, open_page, axe):
    page = operator(bypass_csp=True)
    page.goto(demo.url("organizationmember/"))
    page.click("text=New operator…")
    assert axe(page) == []
    page.fill("[name=username]", "new-hand")
    page.fill("[name=password]", "correct horse battery")
    page.fill("[name=again]", "correct horse battery")
    page.check("text=Grant management: support")
    page.check("text=Example Bank")
    page.click("[type=submit][value=Save]")
    page.wait_for_selector("text=Saved: new-hand.")
    other = open_page()
    other.goto(demo.admin)
    other.fill("#id_username", "new-hand")
    other.fill("#id_password", "correct horse battery")
    other.press("#id_password", "Enter")
    other.wait_for_selector("#user-tools")
    other.goto(demo.url("grant/"))
    assert other.locator("[data-row]").count()
    refused = other.request.get(demo.url("apitoken/"))
    assert refused.status == 403
    assert "You may not open this page" in refused.text()
