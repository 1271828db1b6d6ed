"""The document is whole, valid, and the one that is committed."""

import yaml
from openapi_spec_validator import validate

from grant_management import urls
from grant_management.contrib.openapi.document import document
from grant_management.contrib.openapi.operations import NOT_HERE, SAID, all_operations
from grant_management.contrib.openapi.paths import routes
from grant_management.contrib.openapi.shapes import SHAPES
from grant_management.protocol.event_payload import TYPES
from grant_management.protocol.results import Result

from .written import PAGE, text


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
