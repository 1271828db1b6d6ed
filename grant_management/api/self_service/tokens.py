"""`/api/{serviceId}/self_service/token`: a token for a person's own grants."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from ...fields import members as m
from ...fields.reading import read
from ...models import Access, ApiToken, SelfServiceToken, Service
from ...protocol import times
from ...protocol.results import Refused, Result
from ...protocol.strict_json import dumps
from ..errors import json_response
from ..store.answer import Answer, done
from ..store.views import check_right, sent
from ..views import JSONView

ISSUE: Final = (m.SUBJECT, m.SELF_SERVICE_SECONDS, m.ACCESS)
RIGHT: Final = "can_issue_self_service"
SECONDS: Final = 300
"""The lifetime of a token for which none is asked."""


class TokenView(JSONView):
    """Issues self-service tokens, for API tokens that have the right to."""

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200 with the token's value, which is shown this once.

        Refused: the right is missing, or no subject is named.
        """
        found = self.caller(request, int(kwargs["service_id"]))
        service = self.opened(request, found)
        check_right(found.api_token, RIGHT)
        values = read(sent(request)[1], ISSUE, found.now)
        token, value = _issued(service, found.api_token, values, found.now)
        return json_response(dumps(_shown(token, value)))


def _issued(
    service: Service, caller: ApiToken, values: Mapping[str, Any], now: Any
) -> tuple[SelfServiceToken, str]:
    if "subject" not in values:
        raise Refused(Result.BODY_UNREADABLE, "'subject' is missing.")
    lifetime = timedelta(seconds=values.get("expiresIn", SECONDS))
    access = values.get("access", Access.VIEW)
    issue = SelfServiceToken.objects.issue
    return issue(service, caller, values["subject"], access, now, lifetime)


def _shown(token: SelfServiceToken, value: str) -> Answer:
    lifetime = token.expires_at - token.issued_at
    return done(
        {
            "token": value,
            "subject": token.subject,
            "access": str(token.access),
            "expiresIn": int(lifetime.total_seconds()),
            "expiresAt": times.to_milliseconds(token.expires_at),
        }
    )
