"""The store's doors: one view, an operation for each route."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ..errors import json_response, refusal_response
from ..models import ApiToken, IdempotencyKey, Service
from ..protocol.digests import sha256
from ..protocol.results import Refused, Result
from ..protocol.strict_json import dumps
from ..serializers import parse_body
from ..views import JSONView, read_body
from .reading import Answer, Members

Operation = Callable[..., Answer]
CREDENTIALS = ("accessToken", "refreshToken")


class StoreView(JSONView):
    """`POST /api/{serviceId}/…`: parse, perform the operation, answer."""

    operation: ClassVar[Operation | None] = None
    writes: ClassVar[bool] = True

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200, or the refusal; the same again for a write that is sent again with its key."""
        service = self.service(request, kwargs.pop("service_id"))
        body = read_body(request)
        members = parse_body(request.content_type or "", body or b"{}", keep_numbers=True)
        key = request.headers.get("Idempotency-Key", "")
        if not key or not self.writes:
            return self._perform(service, members, timezone.now(), kwargs)[0]
        digests = sha256(key), hashlib.sha256(request.path.encode() + b"\0" + body).digest()
        return self._perform_once(request, service, members, digests, kwargs)

    def _perform(
        self, service: Service, members: Members, now: datetime, kwargs: dict[str, str]
    ) -> tuple[HttpResponse, Answer | None]:
        """The response, and the answer where the operation was done."""
        operation = type(self).operation
        if operation is None:
            raise Refused(Result.ROUTE_UNKNOWN)
        try:
            answer = operation(service, members, now, **kwargs)
        except Refused as refusal:
            return refusal_response(refusal), None
        return json_response(dumps(answer)), answer

    def _perform_once(
        self,
        request: HttpRequest,
        service: Service,
        members: Members,
        digests: tuple[bytes, bytes],
        kwargs: dict[str, str],
    ) -> HttpResponse:
        """In one transaction with the key, so that both are there or neither is."""
        api_token: ApiToken = request.auth  # type: ignore[attr-defined]
        now = timezone.now()
        with transaction.atomic():
            row, new = IdempotencyKey.objects.claim(api_token, service, *digests, now)
            if not new:
                return _again(row, digests[1])
            response, answer = self._perform(service, members, now, kwargs)
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


def door(operation: Operation, *, writes: bool = True) -> Any:
    """The view of an operation."""
    name = f"{operation.__name__.title().replace('_', '')}View"
    view = type(name, (StoreView,), {"operation": staticmethod(operation), "writes": writes})
    return view.as_view()  # type: ignore[attr-defined]
