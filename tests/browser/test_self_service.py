"""A person's own pages, in a real Chromium, in three languages, without JavaScript and on a phone."""

import pytest

from .demo import log_in_as_person, second_try

pytestmark = second_try
LANGUAGES = {
    "en": ("Connected apps", "Remove access", "Your accounts", "was removed", "History"),
    "de": ("Verbundene Apps", "Zugriff entfernen", "Ihre Konten", "wurde entfernt", "Verlauf"),
    "ja": ("連携しているアプリ", "アクセスを取り消す", "口座", "取り消しました", "履歴"),
}
PHONE = {"width": 360, "height": 740}


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture
def person(open_page, demo, language):
    """A page of the person who has logged in."""

    def log_in(**options):
        page = open_page(locale=language, **options)
        log_in_as_person(page, demo)
        assert page.url == demo.apps
        return page

    return log_in


def every_page(page, demo):
    """Each page in turn: its name, once it is open."""
    page.goto(demo.apps)
    yield "apps"
    page.goto(f"{demo.apps}?ended")
    yield "apps without access"
    page.goto(demo.apps)
    page.click(".gms-card .gms-actions a >> nth=0")
    page.wait_for_selector("h3")
    yield "one app"
    for one in page.locator("details summary").all():
        one.click()
    yield "one app, unfolded"
    page.goto(f"{page.url.partition('?')[0]}history/")
    yield "history"
    page.goto(demo.apps)
    page.click(".gms-danger >> nth=0")
    yield "the question"


def test_in_the_persons_language(person, language):
    title, remove, accounts, _, _ = LANGUAGES[language]
    page = person()
    assert page.title() == title
    assert page.get_attribute("html", "lang") == language
    shown = page.inner_text("main")
    for words in (title, remove, accounts):
        assert words in shown or words.split()[0] in shown


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(person, demo, axe, theme):
    page = person(color_scheme=theme, bypass_csp=True)  # of axe, not of the pages
    found = {name: wrong for name in every_page(page, demo) if (wrong := axe(page))}
    assert found == {}


def test_it_fits_360_pixels(person, demo):
    page = person(viewport=PHONE)
    width = "document.documentElement.scrollWidth"
    wide = {name: size for name in every_page(page, demo) if (size := page.evaluate(width)) > 360}
    assert wide == {}


def test_logos_are_there(person):
    """Each is loaded, under the policy of the page."""
    page = person()
    page.wait_for_load_state("networkidle")
    loaded = "[...document.querySelectorAll('.gms-logo')].map(one => one.naturalWidth)"
    sizes = page.evaluate(loaded)
    assert sizes
    assert all(size > 0 for size in sizes)


def test_by_keyboard_alone(person, demo):
    """To the question, and away from it by Cancel."""
    page = person()
    page.goto(demo.apps)
    press_until(page, "document.activeElement.matches('.gms-danger')")
    page.wait_for_selector("button.gms-danger")
    press_until(page, "document.activeElement.matches('.gms-actions a:last-child')")
    page.wait_for_selector("h2")
    assert "remove" not in page.url


def press_until(page, there):
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(there):
            page.keyboard.press("Enter")
            return
    raise AssertionError("the keyboard does not get there")


def test_an_operator_has_no_page_of_a_person(operator, demo):
    page = operator()
    response = page.request.get(demo.apps)
    assert response.status == 403


@pytest.mark.parametrize("language", ["en"], indirect=True)
def test_a_person_has_no_page_of_an_operator(person, demo):
    page = person()
    response = page.request.get(demo.admin, max_redirects=0)
    assert response.status == 302


@pytest.mark.parametrize("language", ["en"], indirect=True)
def test_headers(person, demo):
    response = person().goto(demo.apps)
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("language", ["en"], indirect=True)
def test_no_frame_shows_it(person, demo):
    """Not even one of the same origin."""
    page = person(bypass_csp=False)
    seen = page.request.get(demo.apps).headers
    assert seen["x-frame-options"] == "DENY"


def test_an_operator_describes_a_scope_and_a_client(operator, demo, tmp_path):
    """By the admin's forms; and the file of a logo."""
    page = operator()
    page.goto(demo.url("description/describe/"))
    page.select_option("[name=service]", index=1)
    page.fill("[name=name]", "payments")
    for number, (tag, name) in enumerate([("en", "Payments"), ("ja", "支払い")]):
        page.fill(f"[name=language_{number}]", tag)
        page.fill(f"[name=name_{number}]", name)
    page.select_option("[name=reason]", "other")
    page.click("input[type=submit]")
    page.wait_for_selector(".messagelist .success")
    logo = tmp_path / "logo.png"
    logo.write_bytes(page.request.get(f"{demo.admin}../static/admin/img/icon-yes.svg").body())
    page.goto(demo.url("clientprofile/describe/"))
    page.select_option("[name=service]", index=1)
    page.fill("[name=client_id]", "shop-checkout")
    page.set_input_files("[name=logo_file]", logo)
    page.select_option("[name=reason]", "other")
    page.click("input[type=submit]")
    assert "It must be a PNG" in page.inner_text("main")


def test_remove_access_without_javascript(person, demo, language):
    """On a phone: the app is not connected afterwards, and its page says who removed it."""
    _, _, _, removed, history = LANGUAGES[language]
    page = person(viewport=PHONE, java_script_enabled=False)
    page.goto(demo.apps)
    before = page.locator(".gms-card").count()
    assert before > 0
    page.click(".gms-danger >> nth=0")
    page.click("button.gms-danger")
    assert removed in page.inner_text("[role=status]")
    assert history in page.inner_text("main")
    page.reload()
    page.goto(demo.apps)
    assert page.locator(".gms-card").count() == before - 1


def admin_pages(page, demo):
    """The admin's pages of plain words: each name, once it is open."""
    for model in ("description", "clientprofile"):
        page.goto(demo.url(f"{model}/"))
        yield f"list of {model}"
        page.click("#result_list tbody a >> nth=0")
        page.wait_for_selector(".gm-tools")
        yield f"one {model}"
        page.click(".gm-tools a >> nth=0")
        page.wait_for_selector("[name=reason]")
        yield f"change {model}"
        page.goto(demo.url(f"{model}/describe/"))
        yield f"add {model}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_admin(operator, demo, axe, theme):
    page = operator(color_scheme=theme, bypass_csp=True)
    found = {name: wrong for name in admin_pages(page, demo) if (wrong := axe(page))}
    assert found == {}


def test_the_admin_fits_360_pixels(operator, demo):
    page = operator(viewport=PHONE)
    width = "document.documentElement.scrollWidth"
    wide = {name: size for name in admin_pages(page, demo) if (size := page.evaluate(width)) > 360}
    assert wide == {}
