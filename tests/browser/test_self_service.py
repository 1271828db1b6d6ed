"""A person's own pages, in a real Chromium, in three languages, without JavaScript and on a phone."""

import pytest

from .demo import log_in_as_person, second_try

pytestmark = second_try
LANGUAGES = {
    "en": ("Connected apps", "Remove access", "Your accounts", "was removed", "History"),
    "de": (
        *("Verbundene Apps", "Zugriff von Steuerhilfe entfernen", "Ihre Konten"),
        *("wurde entfernt", "Verlauf"),
    ),
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


@pytest.mark.parametrize("language", ["en"], indirect=True)
def test_what_protects_the_pages(person, demo):
    """And what does not: each logo is loaded under the policy. No frame shows them, not even one of
    the same origin; and a person has no page of an operator.
    """
    page = person()
    page.wait_for_load_state("networkidle")
    loaded = "[...document.querySelectorAll('.gms-logo')].map(one => one.naturalWidth)"
    assert min(page.evaluate(loaded)) > 0
    headers = page.request.get(demo.apps).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert page.request.get(demo.admin, max_redirects=0).status == 302


def test_an_operator_has_no_page_of_a_person(operator, demo):
    page = operator()
    response = page.request.get(demo.apps)
    assert response.status == 403


def test_an_operator_describes_a_scope_and_a_client(operator, demo, tmp_path):
    """By the admin's forms; and the file of a logo."""
    page = operator()
    page.goto(demo.url("description/describe/"))
    page.select_option("[name=service]", index=1)
    page.fill("[name=name]", "payments")
    for number, (tag, name) in enumerate([("en", "Payments"), ("ja", "支払い")]):
        page.fill(f"[name=language_{number}]", tag)
        page.fill(f"[name=name_{number}]", name)
    page.check("[name=reason][value=other]")
    page.click("input[type=submit]")
    page.wait_for_selector(".messagelist .success")
    logo = tmp_path / "logo.png"
    logo.write_bytes(page.request.get(f"{demo.admin}../static/admin/img/icon-yes.svg").body())
    page.goto(demo.url("clientprofile/describe/"))
    page.select_option("[name=service]", index=1)
    page.fill("[name=client_id]", "shop-checkout")
    page.set_input_files("[name=logo_file]", logo)
    page.check("[name=reason][value=other]")
    page.click("input[type=submit]")
    assert "It must be a PNG" in page.inner_text("main")


def test_remove_access_without_javascript(person, demo, language):
    """In the person's language, on a phone: the app is not connected afterwards, and its page says
    who removed it.
    """
    title, remove, accounts, removed, history = LANGUAGES[language]
    page = person(viewport=PHONE, java_script_enabled=False)
    assert page.title() == title
    assert page.get_attribute("html", "lang") == language
    shown = page.inner_text("main")
    for words in (title, remove, accounts):
        assert words in shown
    before = page.locator(".gms-card").count()
    assert before > 0
    page.click(".gms-danger >> nth=0")
    page.click("button.gms-danger")
    assert removed in page.inner_text("[role=status]")
    assert history in page.inner_text("main")
    page.reload()
    page.goto(demo.apps)
    assert page.locator(".gms-card").count() == before - 1
