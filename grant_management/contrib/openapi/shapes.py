"""The shapes of answers: named objects, which the document has as components."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ...fields.field import Field
from ...protocol.results import Result
from .schemas import Schema, object_of, told

COMPONENTS: Final = "#/components/schemas/"
TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
NUMBER: Final[Schema] = {"type": "integer", "format": "int64"}
UUID: Final[Schema] = {"type": "string", "format": "uuid"}
STAMP: Final[Schema] = NUMBER | {"description": "Milliseconds since 1970."}
SECONDS: Final[Schema] = NUMBER | {"description": "Seconds."}
SHAPES: Final[dict[str, "Shape"]] = {}
"""Every shape by its name."""


@dataclass(frozen=True)
class Shape:
    """An object of answers. `always` are members that are never left out.

    `results` are those whose codes it may have.
    """

    name: str
    always: dict[str, Schema] = field(default_factory=dict)
    may: dict[str, Schema] = field(default_factory=dict)
    results: tuple[Result, ...] = ()

    def __post_init__(self) -> None:
        SHAPES[self.name] = self

    @property
    def ref(self) -> Schema:
        """What stands for it elsewhere in the document."""
        return {"$ref": COMPONENTS + self.name}

    @property
    def schema(self) -> Schema:
        """Its schema."""
        return object_of(self.always | self.may, tuple(self.always))


def members(*fields: Field) -> dict[str, Schema]:
    """The schemas of declared members, by name."""
    return {one.name: told(one) for one in fields}


def of(*names: str, schema: Schema) -> dict[str, Schema]:
    """The same schema for several members."""
    return dict.fromkeys(names, schema)


def array_of(schema: Schema) -> Schema:
    """The schema of an array."""
    return {"type": "array", "items": schema}


def head_of(results: Iterable[Result]) -> dict[str, Schema]:
    """The two members that every answer of the API's own has, with the codes that it may have."""
    codes = sorted({one.code for one in results})
    return {"resultCode": {"type": "string", "enum": codes}, "resultMessage": TEXT}


def done(
    name: str, always: dict[str, Schema] | None = None, may: dict[str, Schema] | None = None
) -> Shape:
    """The answer to a request that was fulfilled (`api.store.answer.done`)."""
    results = (Result.STORE_DONE,)
    return Shape(name, head_of(results) | (always or {}), may or {}, results)


def acted(
    name: str, actions: Iterable[str], results: Iterable[Result], may: dict[str, Schema]
) -> Shape:
    """An answer with an `action`, which is 200 also where it refuses: all but its head may lack."""
    action: Schema = {"type": "string", "enum": sorted(actions)}
    found = tuple(results)
    return Shape(name, head_of(found) | {"action": action}, may, found)


def refusal(results: Iterable[Result]) -> Schema:
    """The schema of the refusals of one status (`api.errors.refusal_response`)."""
    refused = tuple(results)
    acts = {one.action for one in refused}
    always: dict[str, Schema] = head_of(refused)
    may: dict[str, Schema] = {}
    if acts != {None}:
        action: Schema = {"type": "string", "enum": sorted(filter(None, acts))}
        more: dict[str, Schema] = {"action": action, "responseContent": TEXT}
        always, may = (always, more) if None in acts else (always | more, {})
    return object_of(always | may, tuple(always))
