"""The webhooks of the document: what is sent for an event, of each type."""

from typing import Final

from ...protocol.event_payload import MEMBERS, TYPES
from . import examples
from .schemas import Schema
from .shapes import TEXT, UUID, Shape, of

DATA: Final = Shape(
    "EventData",
    {one.name: UUID if one.name == "eventId" else TEXT for one in MEMBERS if one.is_always},
    of(*(one.name for one in MEMBERS if not one.is_always), schema=TEXT),
)
HEADERS: Final = {
    "webhook-id": "The ID of the event: the same at each attempt.",
    "webhook-timestamp": "Seconds since 1970, of this attempt.",
    "webhook-signature": "Signatures (Standard Webhooks), each `v1,` or `v1a,` and base64.",
}


def all_webhooks() -> Schema:
    """Each type of events by its name."""
    return {name: {"post": _operation(name)} for name in TYPES.values()}


def _operation(name: str) -> Schema:
    words = name.replace(".", " ").replace("_", " ").split()
    content: Schema = {"schema": _body(name)}
    shown = examples.requests_of(name)
    content |= {"examples": shown} if shown else {}
    return {
        "operationId": "on" + "".join(word.title() for word in words),
        "tags": ["Webhooks"],
        "summary": f"The event `{name}`",
        "parameters": [*(_header(*one) for one in HEADERS.items()), _TRACEPARENT],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "2XX": {"description": "It was received. Any other answer is a failed attempt."},
            "410": {"description": "The endpoint is gone: the webhook is disabled."},
        },
    }


def _body(name: str) -> Schema:
    members: Schema = {
        "type": {"type": "string", "const": name},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": DATA.ref,
    }
    return {"type": "object", "properties": members, "required": list(members)}


_TRACEPARENT: Final[Schema] = {
    "name": "traceparent",
    "in": "header",
    "description": "The trace of the request that made the change (W3C Trace Context), if traced.",
    "schema": {"type": "string"},
}


def _header(name: str, text: str) -> Schema:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "required": True, "description": text, "schema": schema}
