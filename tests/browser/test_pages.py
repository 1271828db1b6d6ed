"""Every page of ours: accessible, in both themes, at 360 pixels, under a strict policy."""

import pytest

from .demo import second_try, type_the_phrase

pytestmark = second_try
ROW = [
    "organization",
    "service",
    "client",
    "grant",
    "accesstoken",
    "dpopnonce",
    "grantevent",
    "call",
]
LISTS = [*ROW, "refreshtoken", "sweep", "apitoken", "organizationmember", "dailycount"]
FORMS = [
    "organization/first-run/",
    "organization/create/",
    "service/create/",
    "client/create/",
    "organizationmember/operator/create/",
    "operatorpreference/",
]
POLICY = {"script-src 'self'", "style-src 'self'", "default-src 'none'"}


def follow(page, selector):
    """Click, and be on the page that this leads to: its document is there, whole."""
    with page.expect_navigation():
        page.click(selector)


def visit(page, demo):
    """Each page in turn: its name, once it is open."""
    for name in LISTS:
        page.goto(demo.url(f"{name}/"))
        yield f"list of {name}"
    for name in ROW:
        page.goto(demo.url(f"{name}/"))
        follow(page, "[data-row] a, #result_list tbody a")
        yield f"one {name}"
    for name in ("grant/find/", "sweep/start/", "apitoken/issue/", *FORMS):
        page.goto(demo.url(name))
        yield name
    for name in ("settings", "what-if", "cut-off"):
        page.goto(demo.url(f"service/{demo.service}/{name}/"))
        yield f"service {name}"
    page.goto(demo.url(f"grant/?q={demo.grant_id}"))
    follow(page, "[data-row] a")
    follow(page, "text=Revoke…")
    yield "revoke"
    page.goto(demo.url("grant/?status=active"))
    subject = page.inner_text("[data-row] a >> nth=-1")
    page.goto(demo.url("sweep/start/"))
    page.fill("[name=subject]", subject)
    follow(page, "[value=Check]")
    yield "check"
    type_the_phrase(page)
    page.select_option("[name=reason]", "other")
    follow(page, "[value=Revoke]")
    page.wait_for_selector(".gm-done")
    yield "job"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(operator, demo, axe, theme):
    page = operator(color_scheme=theme, bypass_csp=True)  # of axe, not of the pages
    found = {name: wrong for name in visit(page, demo) if (wrong := axe(page))}
    assert found == {}


def test_it_fits_360_pixels(operator, demo):
    page = operator(viewport={"width": 360, "height": 740})
    width = "document.documentElement.scrollWidth"
    wide = {name: size for name in visit(page, demo) if (size := page.evaluate(width)) > 360}
    assert wide == {}


@pytest.mark.parametrize("language", ["de", "ja"])
def test_another_language(operator, demo, axe, language):
    """Lists and forms: axe finds nothing, they fit 360 and 1280 pixels, the keys are translated."""
    page = operator(viewport={"width": 360, "height": 740}, bypass_csp=True)
    speak(page, demo, language)
    try:
        for name in (*(f"{one}/" for one in LISTS), *FORMS, "sweep/start/", "apitoken/issue/"):
            page.goto(demo.url(name))
            assert page.get_attribute("html", "lang") == language, name
            assert axe(page) == [], name
            for width in (1280, 360):
                page.set_viewport_size({"width": width, "height": 740})
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (name, width)
        page.keyboard.press("?")
        keys = {"de": ("nächste Zeile", "Schließen"), "ja": ("次の行", "閉じる")}[language]
        assert keys[0] in page.inner_text("dialog[open]")
        page.click(f"dialog[open] button:has-text('{keys[1]}')")
        assert page.locator("dialog[open]").count() == 0
    finally:
        speak(page, demo, "")


@pytest.mark.parametrize("width", [320, 1280])
def test_long_german_words_fit(operator, demo, width):
    """Also at 400 % zoom of a screen that is 1280 pixels wide, which is 320."""
    page = operator(viewport={"width": width, "height": 740})
    speak(page, demo, "de")
    wide = {}
    try:
        for name, size in _widths(page, demo):
            if size > width:
                wide[name] = size
    finally:
        speak(page, demo, "")
    assert wide == {}


def _widths(page, demo):
    names = [*(f"{one}/" for one in LISTS), *FORMS, "sweep/start/", "apitoken/issue/", "webhook/"]
    names += [f"service/{demo.service}/{one}/" for one in ("settings", "what-if", "cut-off")]
    size = "document.documentElement.scrollWidth"
    for name in names:
        page.goto(demo.url(name))
        yield name, page.evaluate(size)
    for name in ROW:
        page.goto(demo.url(f"{name}/"))
        follow(page, "[data-row] a, #result_list tbody a")
        yield f"one {name}", page.evaluate(size)


def speak(page, demo, language):
    page.goto(demo.url("operatorpreference/"))
    page.select_option("[name=language]", language)
    with page.expect_navigation():
        page.click("form.gm-form .default")


def test_the_policy(operator, demo):
    page = operator()
    response = page.goto(demo.url("grant/"))
    policy = response.headers["content-security-policy"]
    assert {part.strip() for part in policy.split(";")} >= POLICY


def test_by_keyboard_alone(operator, demo):
    """The phone call by the list, without a mouse."""
    page = operator()
    page.goto(demo.url("grant/?status=active"))
    tab_to_name(page, "q")
    page.keyboard.type("budget-app")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=budget-app**")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Budget App for')")
    tab_to(page, "Revoke…")
    page.keyboard.press("Enter")
    page.wait_for_selector("[name=reason]")
    tab_to_name(page, "reason")
    page.keyboard.type("requested by u")
    tab_to_name(page, "ticket")
    page.keyboard.type("T-2")
    page.keyboard.press("Enter")
    page.wait_for_selector(".messagelist:has-text('receipt')")


def test_the_keys_are_shown(operator, demo, axe):
    page = operator(bypass_csp=True)
    page.goto(demo.url("grant/"))
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    assert axe(page) == []
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def tab_to(page, text):
    _tab(page, lambda: page.evaluate("document.activeElement.textContent.trim()") == text)


def tab_to_name(page, name):
    _tab(page, lambda: page.evaluate("document.activeElement.name") == name)


def _tab(page, is_there):
    for _ in range(80):
        if is_there():
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not get there")
