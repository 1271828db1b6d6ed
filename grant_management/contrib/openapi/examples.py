"""The examples of the document: calls that a test makes, and the answers that it got."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from ...protocol import strict_json
from .schemas import Schema

FILE: Final = Path(__file__).with_name("examples.json")


@cache
def all_examples() -> dict[str, list[dict[str, Any]]]:
    """The examples by the operation's ID. Each has a `name`, and `request`, `status`, `answer`."""
    found: dict[str, list[dict[str, Any]]] = strict_json.loads(FILE.read_bytes())
    return found


def requests_of(operation: str) -> Schema:
    """The bodies of an operation's requests, by the name of the example."""
    found = all_examples().get(operation, [])
    return {one["name"]: {"value": one["request"]} for one in found if one.get("request")}


def answers_of(operation: str, status: int) -> Schema:
    """The bodies of an operation's answers with this status, by the name of the example."""
    found = all_examples().get(operation, [])
    return {
        one["name"]: {"value": one["answer"]}
        for one in found
        if one["status"] == status and one.get("answer") is not None
    }
