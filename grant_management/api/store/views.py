"""The store's doors: one view, an operation for each route."""

import hashlib
from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse

from ...db import primary
from ...db.retry import retried
from ...fields.reading import parse_body
from ...models import Actor, ApiToken, IdempotencyKey
from ...protocol.digests import sha256
from ...protocol.results import Refused, Result
from ...protocol.strict_json import dumps
from ..body import read_body
from ..errors import json_response, refusal_response
from ..views import JSONView
from .reading import ActionRefused, Answer, Call

Operation = Callable[..., Answer]
CREDENTIALS = ("accessToken", "refreshToken")


class StoreView(JSONView):
    """`POST /api/{serviceId}/…`: parse, perform the operation, answer."""

    operation: ClassVar[Operation | None] = None
    writes: ClassVar[bool] = True
    takes_none: ClassVar[bool] = False
    """Whether no body at all is a request too. Elsewhere one that was lost would mean "nothing"."""

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200, or the refusal; the same again for a write that is sent again with its key."""
        found = self.caller(request, int(kwargs.pop("service_id")))
        service = self.opened(request, found)
        body = read_body(request, optional=self.takes_none)
        members = parse_body(request.content_type or "", body, keep_numbers=True) if body else {}
        call = Call(service, Actor.api_token(found.api_token), members, found.now)
        key = request.headers.get("Idempotency-Key", "")
        if not key or not self.writes:
            return self._perform(call, kwargs)[0]
        digests = sha256(key), hashlib.sha256(request.path.encode() + b"\0" + body).digest()
        return self._perform_once(found.api_token, call, digests, kwargs)

    def _perform(self, call: Call, kwargs: dict[str, str]) -> tuple[HttpResponse, Answer | None]:
        """The response, and the answer where the operation was done."""
        operation = type(self).operation
        if operation is None:
            raise Refused(Result.ROUTE_UNKNOWN)
        try:
            answer = operation(call, **kwargs)
        except ActionRefused as refusal:
            return json_response(dumps(refusal.answer)), None
        except Refused as refusal:
            return refusal_response(refusal), None
        return json_response(dumps(answer)), answer

    @retried
    def _perform_once(
        self, api_token: ApiToken, call: Call, digests: tuple[bytes, bytes], kwargs: dict[str, str]
    ) -> HttpResponse:
        """In one transaction with the key, so that both are there or neither is. A refusal is not
        remembered: what was refused can be sent again.
        """
        with primary.atomic():
            row, new = IdempotencyKey.objects.claim(api_token, call.service, *digests, call.now)
            if not new:
                return _again(row, digests[1])
            response, answer = self._perform(call, kwargs)
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


def door(operation: Operation, **declared: bool) -> Any:
    """The view of an operation, with what is `declared` of it: the attributes of `StoreView`."""
    name = f"{operation.__name__.title().replace('_', '')}View"
    view = type(name, (StoreView,), {"operation": staticmethod(operation), **declared})
    return view.as_view()  # type: ignore[attr-defined]
