"""The view of the store: one class, with an operation for each route."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from django.http import HttpRequest, HttpResponse

from ...db import primary
from ...db.retry import retried
from ...fields.field import Field
from ...fields.reading import FORM, parse_body, read
from ...models import Actor, ApiToken, Credentials, IdempotencyKey, Service
from ...protocol.digests import sha256
from ...protocol.results import Refused, Result
from ...protocol.strict_json import dumps
from ..body import read_body, refuse_body
from ..errors import json_response, no_content, refusal_response
from ..views import JSONView
from .answer import ActionRefused, Answer
from .request import StoreRequest

CREDENTIALS = ("accessToken", "refreshToken", "secret")
"""Members that are left out of the answer that is stored with an idempotency key."""
WITH_BODY = ("POST", "PUT", "PATCH")
Performed = tuple[HttpResponse, Answer | None]
"""The response, and the operation's answer; None: the operation was refused."""


class Operation(NamedTuple):
    """The function of a route, and the members that it takes.

    `writes`: an `Idempotency-Key` is heeded. `takes_none`: a request without a body is accepted;
    elsewhere a body that was lost on the way would read as a request for nothing. `right`: the
    column of the right that the caller needs. `is_empty`: it is answered with 204.
    """

    perform: Callable[..., Answer]
    members: tuple[Field, ...]
    writes: bool = True
    takes_none: bool = False
    right: str = ""
    is_empty: bool = False


class StoreView(JSONView):
    """`/api/{serviceId}/…`: parse, perform the operation, answer."""

    operation: ClassVar[Operation]

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200 or 204, or the response to a refusal.

        A write that is repeated with its `Idempotency-Key` gets its first answer again.
        """
        found = self.caller(request, int(kwargs.pop("service_id")))
        service, operation = self.opened(request, found), self.operation
        check_right(found.api_token, operation.right)
        body, members = sent(request, optional=operation.takes_none)

        def perform() -> Performed:
            return _performed(operation, found, service, members, kwargs)

        key = request.headers.get("Idempotency-Key", "")
        if not key or not operation.writes or request.method != "POST":
            return perform()[0]
        # The path counts too: the same key and body at another route is another request.
        digests = sha256(key), hashlib.sha256(request.path.encode() + b"\0" + body).digest()
        return _perform_once(found, service, digests, perform)


def _performed(
    operation: Operation,
    found: Credentials,
    service: Service,
    members: Mapping[str, Any],
    kwargs: dict[str, str],
) -> Performed:
    try:
        values = read(members, operation.members, found.now)
        request = StoreRequest(service, Actor.api_token(found.api_token), values, found.now)
        answer = operation.perform(request, **kwargs)
    except ActionRefused as refusal:
        return json_response(dumps(refusal.answer)), None
    except Refused as refusal:
        return refusal_response(refusal), None
    response = no_content() if operation.is_empty else json_response(dumps(answer))
    return response, answer


@retried
def _perform_once(
    found: Credentials,
    service: Service,
    digests: tuple[bytes, bytes],
    perform: Callable[[], Performed],
) -> HttpResponse:
    """The response of `perform`, in one transaction with the key: both are written, or neither.

    A refusal is not stored, so that the request can be repeated. Refused: the key came with
    another request before.
    """
    with primary.atomic():
        row, new = IdempotencyKey.objects.claim(found.api_token, service, *digests, found.now)
        if not new:
            return _again(row, digests[1])
        response, answer = perform()
        if answer is None:
            row.delete()
        else:
            kept = {name: one for name, one in answer.items() if name not in CREDENTIALS}
            row.answer = dumps(kept)
            row.save(update_fields=["answer"])
    return response


def _again(row: IdempotencyKey, body_digest: bytes) -> HttpResponse:
    if bytes(row.body_digest) != body_digest:
        raise Refused(Result.STORE_KEY_REUSED)
    return json_response(row.answer)


def check_right(caller: ApiToken, right: str) -> None:
    """Refuse a caller without the right, which is a column of API tokens; "" is no right."""
    if right and not getattr(caller, right):
        raise Refused(Result.RIGHT_MISSING, f"'{right.removeprefix('can_')}'.")


def sent(request: HttpRequest, *, optional: bool = False) -> tuple[bytes, dict[str, Any]]:
    """The body and its members; of a GET, HEAD or DELETE those of its query, and no body.

    Refused: they cannot be read. `optional`: a POST may have no body.
    """
    if request.method in WITH_BODY:
        body = read_body(request, optional=optional)
        media_type = request.content_type or ""
        return body, parse_body(media_type, body, keep_numbers=True) if body else {}
    refuse_body(request)
    query = request.META.get("QUERY_STRING", "").encode("latin-1")
    return b"", parse_body(FORM, query) if query.strip() else {}


def door(
    perform: Callable[..., Answer],
    members: tuple[Field, ...] = (),
    *,
    methods: tuple[str, ...] = ("POST",),
    is_authletes: bool = False,
    **declared: Any,
) -> Any:
    """The view of an operation, with what else is `declared` of it (`Operation`).

    `is_authletes`: Authlete has this operation too.
    """
    # The class is named after the operation, since the log names the class.
    name = f"{perform.__name__.title().replace('_', '')}View"
    attributes = {
        "operation": Operation(perform, members, **declared),
        "methods": methods,
        "door": f"{perform.__module__.rpartition('.')[2]}.{perform.__name__}",
        "is_authletes": is_authletes,
    }
    return type(name, (StoreView,), attributes).as_view()  # type: ignore[attr-defined]
