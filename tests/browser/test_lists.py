"""Lists and charts in a browser: any width, both themes, by mouse and by keyboard."""

from pathlib import Path

import pytest

from ..exports import read_csv
from .demo import revoke_all_of, second_try

pytestmark = second_try
SUBJECT = "s" * 64
NAME = "\u0627\u0644\u0628\u0646\u0643 \u202e" + "\u0645" * 193
LISTS = ["grant", "client", "accesstoken", "refreshtoken", "grantevent", "call", "sweep"]
WIDTHS = [1280, 390, 360]


@pytest.fixture(scope="module")
def long(demo):
    """A client with a name of 200 characters, from right to left, and a grant of a long subject."""
    client = {"clientIdentifier": "c" * 200}
    demo.send("clients", client | {"name": NAME})
    scopes = [{"scope": " ".join(f"scope-{n}" for n in range(300))}]
    demo.send("grants", client | {"subject": SUBJECT, "scopes": scopes, "active": True})


def width(page):
    return page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("wide", WIDTHS)
def test_nothing_is_wider_than_the_viewport(operator, demo, long, wide):
    page = operator(viewport={"width": wide, "height": 800})
    found = {}
    for name in LISTS:
        page.goto(demo.url(f"{name}/"))
        found[name] = width(page)
    for name, query in (("grant", f"q={SUBJECT}"), ("client", "q=ccc")):
        page.goto(demo.url(f"{name}/?{query}"))
        found[f"{name} found"] = width(page)
        page.click("[data-row] a")
        found[f"one {name}"] = width(page)
    page.goto(demo.url("dailycount/"))
    found["overview"] = width(page)
    assert {name: size for name, size in found.items() if size > wide} == {}


@pytest.mark.parametrize("wide", [390, 360])
def test_no_value_is_below_its_label(operator, demo, long, wide):
    """Nothing of a cell begins in the column of the labels."""
    page = operator(viewport={"width": wide, "height": 800})
    for name in LISTS:
        page.goto(demo.url(f"{name}/"))
        starts = page.evaluate(
            """() => [...document.querySelectorAll("[data-row] > *")].flatMap((cell) => {
              const edge = cell.getBoundingClientRect().left + parseFloat(getComputedStyle(cell).paddingLeft);
              const range = document.createRange();
              range.selectNodeContents(cell);
              return [...range.getClientRects()].filter((one) => one.width && one.left < edge - 1)
                .map(() => cell.dataset.label + ": " + cell.textContent);
            })"""
        )
        assert starts == [], name


def test_names_are_isolated(operator, demo, long):
    """What follows a name from right to left stays where it is."""
    page = operator()
    page.goto(demo.url("client/?q=ccc"))
    assert page.evaluate("getComputedStyle(document.querySelector('td bdi')).unicodeBidi") in (
        "isolate",
        "-webkit-isolate",
    )


def test_axe_finds_nothing(operator, demo, long, axe_in_both_themes):
    """With filters in use, and with names of 200 characters."""
    page = operator(bypass_csp=True)
    found = {}
    for path in ("grant/?status=active&period=90d", f"grant/?q={SUBJECT}", "client/?q=ccc"):
        page.goto(demo.url(path))
        # Not those of the navigation, which would lie above the page.
        page.eval_on_selector_all(
            "#content details", "all => all.forEach((one) => { one.open = true; })"
        )
        found[path] = axe_in_both_themes(page)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_filters_are_removed_one_by_one(operator, demo):
    page = operator()
    page.goto(demo.url("grant/"))
    page.select_option("[name=status]", "active")
    page.select_option("[name=period]", "90d")
    page.click("button:text-is('Show')")
    page.click("[aria-label='Remove filter: Status Active']")
    page.wait_for_url(lambda url: "status" not in url)
    assert page.input_value("[name=period]") == "90d"
    page.click("text=Remove all filters")
    page.wait_for_url(lambda url: "period" not in url)
    assert page.locator(".gm-applied").count() == 0


def test_filters_wait_on_a_narrow_screen(open_page, operator, demo):
    """The first row is in sight, and without a script one click shows the filters."""
    page = operator(java_script_enabled=False)
    page.goto(demo.url("grantevent/"))
    assert page.is_visible("[name=q]")
    assert not page.is_visible(".gm-fold-filters")
    page.set_viewport_size({"width": 360, "height": 740})
    assert not page.is_visible("[name=q]")
    assert page.is_visible("text=Export CSV")
    assert page.locator("[data-row]").first.bounding_box()["y"] < 740
    page.click(".gm-fold-filters summary")
    page.select_option("[name=kind]", "revoked")
    with page.expect_navigation():
        page.click("text=Show")
    assert page.inner_text(".gm-fold-filters summary") == "Filters (1 chosen)"
    page.goto(demo.url("webhook/"))
    assert not page.is_visible("#changelist-filter")
    page.click(".gm-fold-filters summary")
    assert page.is_visible("#changelist-filter")


def test_a_link_into_a_closed_part_of_a_page_opens_it(operator, demo):
    page = operator(java_script_enabled=False)
    page.goto(demo.url("client/"))
    with page.expect_navigation():
        page.click("[data-row] a")
    assert page.is_visible(".gm-danger")
    assert page.locator("details.gm-fold[open]").count() == 0
    page.goto(f"{page.url}#gm-events")
    page.wait_for_selector("details.gm-fold[open] #gm-events")
    page.click("details.gm-fold:not([open]) summary:has-text('Charts')")
    with page.expect_navigation():
        page.click("#gm-charts a[href*='7d']")
    page.wait_for_selector("details.gm-fold[open] #gm-charts")


def test_an_export_has_what_was_typed_and_not_applied(operator, demo):
    page = operator()
    page.goto(demo.url("grant/"))
    page.select_option("[name=status]", "revoked")
    with page.expect_download() as download:
        page.click("text=Export CSV")
    rows = read_csv(Path(download.value.path()).read_bytes())
    assert {row["status"] for row in rows} == {"revoked"}
    page.wait_for_timeout(800)
    assert not page.is_visible("[data-working=file]")


def test_what_takes_long_says_so(operator, demo):
    """Half a second after the form was sent. (While the answer is awaited Playwright waits too.)"""
    page = operator()
    page.goto(demo.url("grant/"))
    assert not page.is_visible("[data-working=page]")
    page.evaluate("document.querySelector('.gm-filters').dispatchEvent(new SubmitEvent('submit'))")
    page.wait_for_selector("[data-working=page]:not([hidden])")
    assert "Working…" in page.inner_text("[data-working=page]")


@pytest.mark.parametrize("path", ["service/?o=1", "sweep/"])
def test_a_file_that_takes_long_says_so(operator, demo, path):
    """Of a short list, and of a job."""
    page = operator()
    if path == "sweep/":
        demo.give("reported", "user-1")
        revoke_all_of(page, demo, "reported")
    else:
        page.goto(demo.url(path))
    page.evaluate(
        """() => {
          const submitter = document.querySelector("button[data-download]");
          submitter.form.dispatchEvent(new SubmitEvent("submit", { submitter }));
        }"""
    )
    page.wait_for_selector("[data-working=file]:not([hidden])")
    assert "Preparing the file." in page.inner_text("[data-working=file]")
    with page.expect_download() as download:
        page.click("button[formaction$='.csv']")
    assert read_csv(Path(download.value.path()).read_bytes())
    page.wait_for_selector("[data-working=file]", state="hidden")


def test_a_file_without_a_script(operator, demo):
    page = operator(java_script_enabled=False)
    page.goto(demo.url("service/?o=-1"))
    with page.expect_download() as download:
        page.click("text=Export CSV")
    assert read_csv(Path(download.value.path()).read_bytes())


def test_a_filter_that_was_typed_goes_along_to_revoke_by_filter(operator, demo):
    page = operator()
    page.goto(demo.url("grant/"))
    page.fill("[name=q]", "budget-app")
    page.click("button:has-text('Revoke by filter…')")
    page.wait_for_selector("[name=created_before]")
    assert page.input_value("[name=client]") == "budget-app"


def test_columns_and_views_by_keyboard(operator, demo):
    page = operator()
    page.goto(demo.url("client/?sort=name"))
    page.focus("summary:text-is('Columns')")
    page.keyboard.press("Enter")
    page.focus("[name=column][value=number]")
    page.keyboard.press("Space")
    page.focus("button:text-is('Save columns')")
    page.keyboard.press("Enter")
    page.wait_for_selector(".messagelist:has-text('columns were saved')")
    assert page.locator("th:text-is('Number')").count() == 0
    assert page.url.endswith("?sort=name")
    page.focus("summary:text-is('Save this view')")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("By name")
    page.keyboard.press("Enter")
    page.wait_for_selector(".messagelist:has-text('was saved')")
    page.goto(demo.url("client/"))
    page.click(".gm-views a:has-text('By name')")
    page.wait_for_url("**sort=name")
    assert page.inner_text("thead th[aria-sort=ascending]").lower().startswith("name")


class TestCharts:
    def test_by_hover_and_by_click(self, operator, demo):
        page = operator()
        page.goto(demo.url("dailycount/"))
        chart = page.locator("[data-chart]").last
        bar = chart.locator("svg a").last
        said = bar.get_attribute("aria-label")
        assert chart.locator("output").inner_text() == ""
        bar.hover()
        assert chart.locator("output").inner_text() == said
        bar.click()
        page.wait_for_selector(".gm-count")
        number = said.split(": ")[1].split()[0]
        assert page.inner_text(".gm-count").split()[0] == number

    def test_by_keyboard(self, operator, demo):
        """Each chart is one stop of Tab; the arrows go from bar to bar, and Enter opens its list."""
        page = operator()
        page.goto(demo.url("dailycount/"))
        chart = page.locator("[data-chart]").first
        bars = chart.locator("svg a")
        assert bars.count() > 2
        assert chart.locator("svg a[tabindex='0']").count() == 1
        bars.last.focus()
        page.keyboard.press("ArrowLeft")
        said = bars.nth(bars.count() - 2).get_attribute("aria-label")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == said
        assert chart.locator("output").inner_text() == said
        page.keyboard.press("Home")
        first = bars.first.get_attribute("aria-label")
        assert chart.locator("output").inner_text() == first
        page.keyboard.press("Enter")
        page.wait_for_selector(".gm-count")

    def test_a_table_behind_each(self, operator, demo):
        page = operator()
        page.goto(demo.url("dailycount/?period=7d"))
        for chart in page.locator("[data-chart]").all():
            chart.locator("summary").click()
            assert chart.locator("tbody tr").count() == 7

    def test_without_a_script(self, browser, demo, operator):
        page = operator(java_script_enabled=False)
        page.goto(demo.url("dailycount/"))
        assert page.locator("[data-chart] svg a").count() > 2


def test_a_job_is_one_row_that_opens(operator, demo):
    page = operator()
    revoke_all_of(page, demo, "shop-checkout")
    assert page.evaluate("document.querySelector('progress').position") == 1
    said = page.inner_text("[data-is=said]")
    page.goto(demo.url("grantevent/"))
    job = page.locator("[data-row] a:has-text(' grant')").first
    assert job.inner_text().split()[0] == said.split()[0]
    job.click()
    page.wait_for_url("**job=**")
    assert int(page.inner_text(".gm-count").split()[0]) == int(said.split()[0]) + 2
