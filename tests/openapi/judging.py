"""Whether an answer is in the document: its status, its media type, its members, its code."""

import json
import re
from functools import cache

from jsonschema import Draft202012Validator

from grant_management.contrib.openapi.document import document

HEALTH = {"getLiveness", "getReadiness"}
"""A server answers these in front of Django."""
WHOLE_REST = {"client", "subject", "token"}
ORDINARY = {
    "serviceId": "[0-9]{1,19}",
    "webhookId": "[0-9a-f-]{36}",
    "streamId": "[0-9a-f-]{36}",
    "digest": "[0-9a-f]{64}",
}


def judge(method, path, status, media_type, answer):
    """Fail where an answer is not in the document. `answer` is parsed, or None where it is no JSON.

    A path that is not in the document is none of an operation.
    """
    found = operations_at(path)
    if not found:
        assert status in (400, 404), f"{status} at a path that is not in the document"
        return
    if method == "OPTIONS":  # browsers send it ahead of a call from another origin
        assert status in (204, 403, 404, 405), f"{status} to OPTIONS"
        return
    operation = found.get("get" if method == "HEAD" else method.lower())
    if operation is None:
        assert status in (404, 405), f"{status} for a method that is not in the document"
        return
    judge_answer(operation, status, media_type, answer)


def judge_answer(operation, status, media_type, answer):
    name = operation["operationId"]
    response = operation["responses"].get(str(status))
    assert response is not None, f"{name}: {status} is not in the document"
    if "$ref" in response:
        response = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    content = response.get("content", {})
    assert media_type in content or not (media_type or content), f"{name}: {media_type}"
    assert "X-Request-ID" in response.get("headers", {}) or name in HEALTH
    if answer is not None and media_type == "application/json":
        wrong = [
            f"{'/'.join(map(str, error.path))}: {error.message}"
            for error in _validator(_key(content[media_type]["schema"])).iter_errors(answer)
        ]
        assert not wrong, f"{name} {status}: {wrong}"


def judge_webhook(sent):
    """Fail where what a webhook gets is not in the document."""
    operation = document()["webhooks"][sent["type"]]["post"]
    (content,) = operation["requestBody"]["content"].values()
    wrong = [
        f"{'/'.join(map(str, error.path))}: {error.message}"
        for error in _validator(_key(content["schema"])).iter_errors(sent)
    ]
    assert not wrong, f"{sent['type']}: {wrong}"


def operations_at(path):
    """The path item of the template that fits best: with the most that is not a parameter."""
    path = "/" + path.lstrip("/")
    fits = [template for template, pattern in _templates() if pattern.fullmatch(path)]
    best = max(fits, key=lambda one: len(re.sub(r"\{\w+\}", "", one)), default=None)
    return document()["paths"][best] if best else {}


@cache
def _templates():
    return [(path, re.compile(_pattern(path))) for path in document()["paths"]]


def _pattern(path):
    def group(name):
        return ORDINARY.get(name, r"[\s\S]+" if name in WHOLE_REST else "[^/]+")

    parts = re.split(r"\{(\w+)\}", path)
    return "".join(group(one) if odd % 2 else re.escape(one) for odd, one in enumerate(parts))


def _key(schema):
    return json.dumps(schema, sort_keys=True)


@cache
def _validator(schema):
    components = {"schemas": strict(document()["components"]["schemas"])}
    whole = {**strict(json.loads(schema)), "components": components}
    return Draft202012Validator(whole)


def strict(schema):
    """The schema, where objects have no members but those that it names."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(one) for name, one in schema.items()}
    is_object = isinstance(made.get("properties"), dict) and made.get("type") == "object"
    return {"additionalProperties": False, **made} if is_object else made


def judge_response(request, response):
    """The same of a response of Django's, at the paths of the app."""
    if not re.match(r"/{1,2}(?:api|gm|self|ssf|\.well-known)/", request.path_info):
        return
    media_type = response.get("Content-Type", "").partition(";")[0]
    is_json = media_type == "application/json" and response.content
    answer = json.loads(response.content) if is_json else None
    method = request.META["REQUEST_METHOD"]
    judge(method, request.path_info, response.status_code, media_type, answer)
