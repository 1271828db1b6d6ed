"""The description of one operation, by the extension points of drf-spectacular's `AutoSchema`."""

import re
from collections.abc import Iterable
from typing import Any, Final, cast

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from ... import request_id
from ...api.draft import GrantResourceView
from ...api.self_service.views import LogoView, SelfServiceView
from ...fields.reading import FORM, JSON
from ...protocol.logos import MEDIA_TYPE
from ...protocol.results import Result
from . import examples
from .doors.endpoint import OAUTH_ERROR
from .doors.health import UNREADY
from .operations import Described
from .paths import PARAMETERS, parameters_of
from .refusals import BY_API_TOKEN, name_of, of_the_draft, refusals_of
from .schemas import Schema, asked, asked_in_query, object_of
from .shapes import refusal

PHRASES: Final = {
    400: "The request is refused.",
    401: "The credential is missing or not valid.",
    403: "The caller may not do this.",
    404: "There is no such thing.",
    405: "Another method is needed.",
    409: "It conflicts with what there is.",
    411: "The length of the body is not known.",
    413: "The body is too large.",
    415: "Another media type is needed.",
    429: "Too many requests.",
    500: "This server failed.",
    503: "This server cannot answer now.",
}
HEADERS: Final = {
    401: ("WWW-Authenticate", "The scheme to authenticate with."),
    405: ("Allow", "The methods that are allowed."),
    429: ("Retry-After", "Seconds to wait."),
    503: ("Retry-After", "Seconds to wait."),
}
KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same request with the same key gets its first answer again, for 24 hours.",
    "schema": {"type": "string"},
}
REQUEST_ID: Final[Schema] = {
    "description": "The request's own, if it is safe; else a new one. Logs and events have it.",
    "schema": {"type": "string", "minLength": 1, "maxLength": request_id.LONGEST},
}
"""The header of answers that `RequestIDMiddleware` adds."""
PROOF: Final[Schema] = {
    "name": "DPoP",
    "in": "header",
    "description": "The DPoP proof (RFC 9449), for an access token that is bound to a key.",
    "schema": {"type": "string"},
}


class OperationSchema(AutoSchema):
    """Describes the operation that its view carries as `described`."""

    @property
    def described(self) -> Described:
        """The operation."""
        described: Described = cast(Any, self.view).described
        return described

    def get_operation_id(self) -> str:
        """The operation's ID."""
        return self.described.id

    def get_tags(self) -> list[str]:
        """The door that the operation belongs to."""
        return [self.described.tag]

    def get_summary(self) -> str:
        """What the operation does, in a sentence."""
        return self.described.texts[0]

    def get_description(self) -> str:  # type: ignore[override] # as drf-spectacular has it
        """The rest of what is said of it, and the right that its caller needs."""
        right = self.described.right.removeprefix("can_")
        needed = f"The API token needs the right `{right}`." if right else ""
        return "\n\n".join(filter(None, [self.described.texts[1], needed]))

    def get_auth(self) -> list[dict[str, list[str]]]:
        """The credential that opens it; []: none is needed."""
        view = self.described.view
        if view is GrantResourceView:
            return [{"accessToken": []}, {"boundAccessToken": []}]
        if view is not None and issubclass(view, SelfServiceView):
            return [{"selfServiceToken": []}]
        return [{"apiToken": []}] if view and issubclass(view, BY_API_TOKEN) else [{}]

    def _get_parameters(self) -> list[Schema]:
        described = self.described
        found = [_in_path(group) for group in parameters_of(described.path)]
        if not described.has_body:
            found += [_in_query(one) for one in described.members]
        if described.is_idempotent:
            found.append(KEY)
        return [*found, PROOF] if described.view is GrantResourceView else found

    def _get_request_body(self, direction: Any = "request") -> Schema | None:
        described = self.described
        if not described.has_body or not described.members:
            return None
        schema = object_of(
            {one.name: asked(one) for one in described.members}, described.said.needs
        )
        name = f"{described.id[0].upper()}{described.id[1:]}Request"
        content: Schema = {"schema": self._component(name, schema)}
        shown = examples.requests_of(described.id)
        content |= {"examples": shown} if shown else {}
        media_type = FORM if described.is_form else JSON
        return {"content": {media_type: content}, "required": not described.takes_none}

    def _get_response_bodies(self, direction: Any = "response") -> Schema:
        described = self.described
        responses = {self._status(): self._answer()}
        refused = refusals_of(described)
        for status, results in refused.items():
            responses[str(status)] = self._shared(status, results)
        for status, errors in of_the_draft(described).items():
            responses[str(status)] = self._of_oauth(status, errors, refused.get(status, ()))
        if described.path == "/readyz":
            responses["503"] = _response(PHRASES[503], JSON, UNREADY.ref)
        self._show_examples(responses)
        for response in responses.values():
            _add_request_id(response, described)
        return dict(sorted(responses.items()))

    def _show_examples(self, responses: dict[str, Schema]) -> None:
        """Put the examples of the operation into its responses."""
        for status, response in responses.items():
            shown = examples.answers_of(self.described.id, int(status))
            if shown and "content" in response:
                next(iter(response["content"].values()))["examples"] = shown

    def _status(self) -> str:
        said = self.described.said
        return str(said.status or (200 if said.answer else 204))

    def _answer(self) -> Schema:
        said = self.described.said
        if said.schema is None:
            return {"description": "It is done."}
        if self.described.view is LogoView:
            return _response("The picture.", MEDIA_TYPE, said.schema)
        codes = _listed(said.results)
        return _response("\n\n".join(filter(None, ["The answer.", codes])), JSON, said.schema)

    def _shared(self, status: int, results: tuple[Result, ...]) -> Schema:
        """The response to a refusal, by its name where it has no examples of this operation."""
        response = self._refusal(status, results)
        if examples.answers_of(self.described.id, status):
            return response
        _add_request_id(response, self.described)
        return self._component(name_of(status, results), response, ResolvedComponent.RESPONSE)

    def _refusal(self, status: int, results: Iterable[Result]) -> Schema:
        results = tuple(results)
        schema = self._component(name_of(status, results), refusal(results))
        response = _response(f"{PHRASES[status]}\n\n{_listed(results)}", JSON, schema)
        if status in HEADERS:
            name, text = HEADERS[status]
            response["headers"] = {name: {"description": text, "schema": {"type": "string"}}}
        return response

    def _of_oauth(
        self, status: int, results: Iterable[Result], others: tuple[Result, ...]
    ) -> Schema:
        """A response in the shape of OAuth; or, for the refusals in `others`, in the API's."""
        text = f"{PHRASES[status]}\n\n{_listed([*results, *others])}"
        schema = OAUTH_ERROR.ref
        if others:
            refused = self._refusal(status, others)["content"][JSON]["schema"]
            schema = {"anyOf": [schema, refused]}
        names = ("WWW-Authenticate", "DPoP-Nonce")
        headers = {name: {"schema": {"type": "string"}} for name in names}
        return _response(text, JSON, schema) | {"headers": headers}

    def _component(self, name: str, schema: Schema, kind: str = ResolvedComponent.SCHEMA) -> Schema:
        """Keep a schema or a response under a name, and return what stands for it."""
        component = ResolvedComponent(name, kind, schema, name)
        self.registry.register_on_missing(component)
        ref: Schema = component.ref
        return ref


def _add_request_id(response: Schema, described: Described) -> None:
    """Say that it has the header. A server answers health in front of the middleware."""
    if "$ref" not in response and described.view is not None:
        named = {request_id.HEADER: {"$ref": "#/components/headers/RequestId"}}
        response["headers"] = named | response.get("headers", {})


def _in_path(group: str) -> Schema:
    name, schema = PARAMETERS[group]
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(field: Any) -> Schema:
    return {"name": field.name, "in": "query", "schema": asked_in_query(field)}


def _response(text: str, media_type: str, schema: Schema) -> Schema:
    return {"description": text, "content": {media_type: {"schema": schema}}}


def _listed(results: Iterable[Result]) -> str:
    """The codes as a list, with the text of each."""
    lines = sorted({f"* `{one.code}` {re.sub(r':$', '.', one.text)}" for one in results})
    return "\n".join(lines)
