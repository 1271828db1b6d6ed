"""The document is whole, valid, and the one that is committed."""

import re

import yaml
from django.urls import URLPattern, get_resolver, resolve
from openapi_spec_validator import validate

from grant_management import urls
from grant_management.contrib.openapi.document import document
from grant_management.contrib.openapi.operations import NOT_HERE, SAID, all_operations
from grant_management.contrib.openapi.paths import routes
from grant_management.contrib.openapi.shapes import SHAPES
from grant_management.protocol.event_payload import TYPES
from grant_management.protocol.results import Result

from .written import PAGE, text

PAGES = ("admin/", "account/")


def test_it_is_the_committed_one():
    """Else: `DJANGO_SETTINGS_MODULE=gm_project.settings python -m tests.openapi.written`."""
    assert PAGE.read_text() == text()


def test_it_is_valid():
    assert document()["openapi"] == "3.1.1"
    validate(yaml.safe_load(PAGE.read_text()))


def test_it_has_every_route():
    """And each of its methods, but HEAD."""
    expected = {
        (route.path, method.lower())
        for route in routes(urls.urlpatterns)
        if not issubclass(route.view, NOT_HERE)
        for method in route.view.methods
        if method != "HEAD"
    }
    paths = document()["paths"]
    found = {(path, method) for path, methods in paths.items() for method in methods}
    assert found - {("/livez", "get"), ("/readyz", "get")} == expected
    assert {operation.said.id for operation in all_operations()} == {
        said.id for said in SAID.values()
    }


VALUES = {
    "serviceId": "1001",
    "webhookId": "01900000-0000-7000-8000-000000000000",
    "streamId": "01900000-0000-7000-8000-000000000000",
    "digest": "a" * 64,
}


def views(patterns):
    """The view of each pattern of the URL resolver, but of the pages."""
    for one in patterns:
        if isinstance(one, URLPattern):
            yield one.callback
        elif str(one.pattern) not in PAGES:
            yield from views(one.url_patterns)


def test_every_url_that_the_server_routes_is_in_the_document():
    """Django's own resolver says which view a path of the document leads to."""
    paths = document()["paths"].keys() - {"/livez", "/readyz"}
    filled = [re.sub(r"\{(\w+)\}", lambda one: VALUES.get(one[1], "x"), path) for path in paths]
    documented = {resolve(path).func for path in filled}
    served = {view for view in views(get_resolver().url_patterns) if hasattr(view, "view_class")}
    nothing = {view for view in served if issubclass(view.view_class, NOT_HERE)}
    assert served - nothing == documented


def test_operation_ids_are_unique():
    found = [operation.id for operation in all_operations()]
    assert len(found) == len(set(found))


def test_every_type_of_event_is_a_webhook():
    assert list(document()["webhooks"]) == list(TYPES.values())


def test_every_code_is_somewhere():
    """But those of operations that are not here."""
    whole = PAGE.read_text()
    missing = {result.code for result in Result if f"`{result.code}`" not in whole}
    assert missing == {Result.OPERATION_NOT_HERE.code}


def test_no_shape_is_left_over():
    whole = PAGE.read_text()
    assert [name for name in SHAPES if f"'#/components/schemas/{name}'" not in whole] == []
