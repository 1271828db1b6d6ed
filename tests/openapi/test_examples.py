"""The examples of the document are real answers: each call is made, and compared.

`WRITE_EXAMPLES=1 pytest -n 0 tests/openapi/test_examples.py` writes them anew. Then docs/openapi.yaml
has to be written, too (`tests/openapi/written.py`).
"""

import inspect
import json
import os
from urllib.request import urlopen

import pytest

from grant_management.admin import sweep as sweep_pages
from grant_management.contrib.openapi.document import document
from grant_management.contrib.openapi.examples import FILE, all_examples
from grant_management.events.delivering import RECEIVER
from grant_management.models import GrantEvent
from grant_management.protocol.event_payload import TYPES

from ..doors import ACTS, webhook_of
from ..doors import Scene as Acting
from ..standalone import manage, serving
from .calls import ALL
from .judging import HEALTH, judge_answer, judge_webhook
from .scene import Scene, send, settled

IS_WRITING = bool(os.environ.get("WRITE_EXAMPLES"))
OPERATIONS = {
    operation["operationId"]: (path, method, operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
}


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
    assert 1 <= len(response["X-Request-ID"]) <= 128
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


@pytest.fixture
def acting(world, django_user_model, monkeypatch):
    monkeypatch.setattr(sweep_pages, "work_in_background", lambda sweep: None)
    return Acting.of(world, django_user_model.objects.create_superuser("ann"))


def act_of(kind):
    """An act that leaves such an event at a service: a request, where there is one."""
    found = [
        act
        for act in ACTS
        if any(leaf[0] == kind and leaf[2:] in ((), ("service",)) for leaf in act.leaves)
    ]
    return min(found, key=lambda act: act.door.startswith("command"))


def done(act, scene, tmp_path):
    wanted = inspect.signature(act.do).parameters
    list(act.do(scene, **({"tmp_path": tmp_path} if "tmp_path" in wanted else {})))


def sent_for(event):
    """What a webhook gets, where what differs in each run is replaced."""
    told = json.loads(event.payload().as_json())
    judge_webhook(told)
    data = told["data"]
    assert data["serviceId"] == str(event.service_id)
    data["serviceId"] = "1001"
    if "requestId" in data:
        data["requestId"] = "example-request"
    if "grantId" in data:
        data["grantId"] = "example-grant"
    return settled(told)


@pytest.mark.parametrize(("kind", "name"), TYPES.items())
def test_webhook(book, acting, kind, name, tmp_path):
    """What is sent for an event of each type, after an act that leaves such an event."""
    if kind == "webhook_disabled":
        webhook_of(acting).disable(RECEIVER)
    else:
        act = act_of(kind)
        done(act, acting, tmp_path)
    event = GrantEvent.objects.filter(kind=kind).order_by("pk").last()
    sent = sent_for(event)
    is_request = kind != "webhook_disabled" and not act.door.startswith("command")
    assert ("requestId" in sent["data"]) is is_request
    assert sent["type"] == name
    assert document()["webhooks"][name]["post"]["requestBody"]["required"]
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
