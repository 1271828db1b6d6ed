"""`/api/schema` and its page, from a real server: off by default, and without any other origin.

As docs/how-to/openapi.md says.
"""

import json
import re
import urllib.error
import urllib.request

import pytest
import yaml

from ..docs.pages import typed
from ..standalone import seed, serving
from .written import PAGE


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    url = f"sqlite:///{folder / 'db.sqlite3'}"
    seed(url, folder)
    return url


@pytest.fixture(scope="module", params=["", "api"])
def server(url, request):
    setting, *command = typed("how-to/openapi.md", "API_SCHEMA").split()
    assert command == ["python3", "run.py", "serve"]
    with serving(url, **dict([setting.split("=")]), ONLY=request.param) as port:
        yield f"http://127.0.0.1:{port}"


def get(address, **headers):
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.headers, response.read()


def refused(address):
    """The status of a refusal, and its members."""
    with pytest.raises(urllib.error.HTTPError) as found:
        get(address)
    with found.value as response:
        return response.code, json.load(response)


def the_committed_one():
    return yaml.load(PAGE.read_text(), yaml.CSafeLoader) | {"servers": [{"url": "/"}]}


def test_it_is_off_by_default(url):
    with serving(url) as port:
        for path in ("schema", "schema/page"):
            status, answer = refused(f"http://127.0.0.1:{port}/api/{path}")
            assert (status, answer["resultCode"]) == (404, "A001208")


def test_json(server):
    headers, text = get(f"{server}/api/schema")
    assert headers.get_content_type() == "application/json"
    assert json.loads(text) == the_committed_one()


@pytest.mark.parametrize(
    ("query", "headers"), [("?format=yaml", {}), ("", {"Accept": "application/yaml"})]
)
def test_yaml(server, query, headers):
    headers, text = get(f"{server}/api/schema{query}", **headers)
    assert headers.get_content_type() == "application/yaml"
    assert yaml.load(text, yaml.CSafeLoader) == the_committed_one()


def test_page(server):
    """Nothing inline, and nothing from another origin."""
    headers, body = get(f"{server}/api/schema/page")
    text = body.decode()
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert re.search(r"<style|style=|<script>|//", text) is None
    addresses = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(addresses) == 6
    for address in addresses:
        assert address.startswith("/")
        get(server + address.replace("&amp;", "&"))


def test_the_api_goes_on(server):
    assert refused(f"{server}/api/1001/gm")[0] == 405
