"""The examples of the document are real answers: each call is made, and compared.

`WRITE_EXAMPLES=1 pytest -n 0 tests/openapi/test_examples.py` writes them anew. Then docs/openapi.yaml
has to be written, too (`tests/openapi/written.py`).
"""

import json
import os
from urllib.request import urlopen

import pytest

from grant_management.contrib.openapi.document import document
from grant_management.contrib.openapi.examples import FILE, all_examples
from grant_management.models import GrantEvent
from grant_management.protocol.event_payload import TYPES

from ..standalone import manage, serving
from ..world import BY_TEST
from .calls import ALL
from .judging import judge_answer
from .scene import Scene, send, settled

IS_WRITING = bool(os.environ.get("WRITE_EXAMPLES"))
OPERATIONS = {
    operation["operationId"]: (path, method, operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
}

HEALTH = {"getLiveness", "getReadiness"}
"""A server answers these in front of Django."""


@pytest.fixture(scope="module")
def book():
    """The examples as they are; with `WRITE_EXAMPLES`, those of this run, which are kept."""
    made = {} if IS_WRITING else all_examples()
    yield made
    if IS_WRITING:
        FILE.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")


def compare(book, operation, example):
    if IS_WRITING:
        book.setdefault(operation, []).append(example)
    found = {one["name"]: one for one in book[operation]}
    assert found[example["name"]] == example


def test_every_operation_has_a_call():
    assert {call.operation for call in ALL} | HEALTH == OPERATIONS.keys()


def test_every_example_has_a_call(book):
    calls = {(call.operation, call.name) for call in ALL}
    calls |= {(name, "The event") for name in TYPES.values()}
    calls |= {(name, "All is well") for name in HEALTH}
    assert {(key, one["name"]) for key, found in book.items() for one in found} <= calls
    assert len({(call.operation, call.name) for call in ALL}) == len(ALL)


@pytest.mark.django_db
@pytest.mark.parametrize("call", ALL, ids=str)
def test_example(book, call):
    path, method, operation = OPERATIONS[call.operation]
    body, response = send(call, path, method, Scene.make())
    media_type = response.get("Content-Type")
    is_json = media_type == "application/json"
    answer = json.loads(response.content) if is_json else None
    judge_answer(operation, response.status_code, media_type, answer)
    example = {
        "name": call.name,
        "request": settled(body) or None,
        "status": response.status_code,
        "answer": settled(answer),
    }
    compare(book, call.operation, example)


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "name"), TYPES.items())
def test_webhook(book, kind, name):
    """What is sent for an event of each type: made by what sends it."""
    scene = Scene.make()
    event = GrantEvent.objects.record(
        kind,
        scene.service.pk,
        at=scene.held.created_at,
        actor=BY_TEST,
        client_id="app-1",
        subject="user-1",
    )
    sent = settled(json.loads(event.payload().as_json()))
    schema = document()["webhooks"][name]["post"]
    assert sent["type"] == name
    assert schema["requestBody"]["required"]
    compare(book, name, {"name": "The event", "request": sent, "status": 204, "answer": None})


def test_health(book, tmp_path):
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    manage("migrate", "-v", "0", DATABASE_URL=url)
    with serving(url) as port:
        for name in sorted(HEALTH):
            path, _method, operation = OPERATIONS[name]
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as response:
                media_type, answer = response.headers.get_content_type(), json.load(response)
            judge_answer(operation, response.status, media_type, answer)
            shown = {"request": None, "status": response.status, "answer": settled(answer)}
            compare(book, name, {"name": "All is well", **shown})
