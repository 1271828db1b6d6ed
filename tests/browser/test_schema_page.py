"""The page of the OpenAPI document, in a real browser: it needs nothing from anywhere else."""

import importlib.util

import pytest

from ..standalone import seed, serving
from .demo import second_try

pytestmark = [
    second_try,
    pytest.mark.skipif(
        not importlib.util.find_spec("drf_spectacular"), reason="needs the extra `openapi`"
    ),
]


@pytest.fixture(scope="module")
def address(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("schema-page")
    url = f"sqlite:///{folder / 'db.sqlite3'}"
    seed(url, folder)
    with serving(url, API_SCHEMA="on") as port:
        yield f"http://127.0.0.1:{port}"


def test_read_and_try(open_page, address):
    """An operation is called from the page, and its answer is shown. The policy forbids nothing
    that the page does: that would be an error in the console.
    """
    page = open_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/api/schema/page")
    operation = page.locator("#operations-Health-getLiveness")
    operation.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    shown = operation.locator(".live-responses-table")
    shown.get_by_text('"status": "live"').wait_for()
    assert {one.split("/")[2] for one in asked if not one.startswith("data:")} == {
        address.partition("//")[2]
    }
