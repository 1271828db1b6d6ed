"""The way to the first call, and the programs that make it as a page shows them."""

import json
import urllib.request


def to_service(page):
    """From the checklist to where an organization and a service are there."""
    page.click("text=Create an organization…")
    page.fill("[name=name]", "Example Bank")
    page.click("[type=submit][value=Save]")
    page.click("text=Create a service…")
    page.fill("[name=name]", "Retail")
    page.click("[type=submit][value=Save]")
    page.wait_for_selector("text=Issue an API token…")


def programs_of(page):
    """The programs that a page shows: their language, file and text."""
    return page.eval_on_selector_all(
        ".gm-snippets details",
        "all => all.map(one => [one.querySelector('summary').textContent,"
        " one.querySelector('p').textContent, one.querySelector('pre').textContent])",
    )


def call_of_page(page, value):
    """Make the call that the page shows; its answer."""
    url = next(text for language, _, text in programs_of(page) if language == "curl").split("'")[1]
    body = json.dumps({"gmAction": "QUERY", "grantId": "x", "accessToken": "x"}).encode()
    headers = {"Authorization": f"Bearer {value}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        return json.loads(answer.read())
