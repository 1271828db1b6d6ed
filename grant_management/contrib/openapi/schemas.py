"""The JSON Schema (2020-12) of a member, from its declaration in `fields.members`."""

from functools import singledispatch
from typing import Any, Final

from ...fields.field import Field
from ...fields.granted import Claims, Confirmation, Details, ScopeNames, Scopes
from ...fields.numeric import Time, WholeNumber, WholeNumberOrText
from ...fields.signals import DeliveryMethod, SetErrors, Strings, Subject
from ...fields.strings import Choice, Choices, Credential, Opaque, Pattern, Text, Uuid
from ...fields.urls import Endpoint, WebhookUrl
from ...fields.web import Contact, HttpsUrl, Origins, Texts
from ...protocol.shared_signals import METHODS

Schema = dict[str, Any]
INT32: Final = 2**31 - 1
_STRINGS: Final[Schema] = {"type": "array", "items": {"type": "string"}}
_BOUNDS: Final = frozenset(
    {"minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "pattern"}
)


def asked(field: Field) -> Schema:
    """The schema of a member of a request. Its description is the text that refuses others."""
    sentence = field.sentence
    return _rules(field) | {"description": f"{sentence[0].upper()}{sentence[1:]}."}


def asked_in_query(field: Field) -> Schema:
    """The schema of the member as a query parameter, where a number is written in digits."""
    schema = asked(field)
    return {**schema.pop("anyOf")[0], **schema} if "anyOf" in schema else schema


def told(field: Field) -> Schema:
    """The schema of the member in an answer: its type alone.

    The bounds are left out. They are those of what is accepted now, and stored values may be older.
    """
    schema = asked_in_query(field)
    return {
        name: rule for name, rule in schema.items() if name not in _BOUNDS and name != "description"
    }


def object_of(members: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """The schema of an object with these members."""
    schema: Schema = {"type": "object", "properties": members}
    return schema | ({"required": list(required)} if required else {})


@singledispatch
def _rules(field: Field) -> Schema:
    return {} if field.type == "any" else {"type": field.type}


@_rules.register
def _(field: WholeNumber) -> Schema:
    size = "int32" if field.most <= INT32 else "int64"
    return {"type": "integer", "format": size, "minimum": field.least, "maximum": field.most}


@_rules.register
def _(field: WholeNumberOrText) -> Schema:
    digits: Schema = {"type": "string", "pattern": "^[0-9]{1,19}$"}
    return {"anyOf": [_rules.dispatch(WholeNumber)(field), digits]}


@_rules.register
def _(field: Time) -> Schema:
    return {"type": "number", "minimum": 0}


@_rules.register
def _(field: Opaque) -> Schema:
    return {"type": "string"} if field.may_be_empty else {"type": "string", "minLength": 1}


@_rules.register
def _(field: Text) -> Schema:
    return {"type": "string", "minLength": field.shortest, "maxLength": field.longest}


@_rules.register
def _(field: Credential) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": field.longest}


@_rules.register
def _(field: Pattern) -> Schema:
    # The end is `$` in the dialect of JSON Schema (ECMA-262), which has no `\Z`.
    pattern = field.pattern.replace(r"\Z", "$")
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


@_rules.register
def _(field: Uuid) -> Schema:
    return {"type": "string", "format": "uuid"}


@_rules.register
def _(field: Choice) -> Schema:
    return {"type": "string", "enum": list(field.choices)}


@_rules.register
def _(field: Choices) -> Schema:
    items = {"type": "string", "enum": list(field.choices)}
    return {"type": "array", "items": items, "minItems": field.least}


@_rules.register(Endpoint)
@_rules.register(HttpsUrl)
@_rules.register(Contact)
def _(field: Endpoint | HttpsUrl | Contact) -> Schema:
    return {"type": "string", "maxLength": field.longest}


@_rules.register
def _(field: WebhookUrl) -> Schema:
    return {"type": "string", "format": "uri", "maxLength": field.longest}


@_rules.register
def _(field: Origins) -> Schema:
    return _STRINGS | {"maxItems": field.most}


@_rules.register
def _(field: Strings) -> Schema:
    items = {"type": "string", "minLength": 1, "maxLength": field.longest}
    return {"type": "array", "items": items, "maxItems": field.most}


@_rules.register
def _(field: DeliveryMethod) -> Schema:
    text: Schema = {"type": "string"}
    methods = {"type": "string", "enum": list(METHODS)}
    members = {"method": methods, "endpoint_url": text, "authorization_header": text}
    return object_of(members, ("method",))


@_rules.register
def _(field: Subject) -> Schema:
    return object_of({"format": {"type": "string"}}, ("format",)) | {"additionalProperties": True}


@_rules.register
def _(field: SetErrors) -> Schema:
    error = object_of({"err": {"type": "string"}}, ("err",)) | {"additionalProperties": True}
    return {"type": "object", "additionalProperties": error, "maxProperties": field.most}


@_rules.register(ScopeNames)
@_rules.register(Claims)
def _(field: ScopeNames | Claims) -> Schema:
    return _STRINGS


@_rules.register
def _(field: Scopes) -> Schema:
    scope = object_of({"scope": {"type": "string"}, "resource": _STRINGS}, ("scope",))
    return {"type": "array", "items": scope}


@_rules.register
def _(field: Details) -> Schema:
    detail = object_of({"type": {"type": "string"}}, ("type",)) | {"additionalProperties": True}
    return {"type": "array", "items": detail}


@_rules.register
def _(field: Confirmation) -> Schema:
    return object_of(dict.fromkeys(("jkt", "x5t#S256"), _rules(field.thumbprint)))


@_rules.register
def _(field: Texts) -> Schema:
    members = {"language": {"type": "string"}} | {one.name: _rules(one) for one in field.parts}
    text = object_of(members, ("language", *sorted(field.needed)))
    return {"type": "array", "items": text}
