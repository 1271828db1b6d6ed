"""Answers a call, and logs it where its service asks for that. The log decides nothing."""

import secrets
from dataclasses import asdict
from datetime import datetime

from .. import request_id
from ..conf import app_settings
from ..db import primary
from ..db.failures import settle, tell
from ..models import AccessToken, Call, Service
from ..protocol.results import Action, GMAction
from .context import Context
from .flow import process
from .messages import GMRequest, GMResponse
from .trace import Named, trace


def answer_call(
    service: Service, call: GMRequest, now: datetime, known: AccessToken | None = None
) -> GMResponse:
    """The answer to a call, which is logged as well. An error of the logging changes no answer.

    `now` is the database's time; `known` is the access token, where it was found together with
    the caller.
    """
    answer = process(Context(service, call, now, known))
    if service.call_log_size or service.track_last_used:
        try:
            _note(service, call, answer, now)
        except Exception as error:  # noqa: BLE001 - the call is done, so its answer must go out
            tell(error, settle(error), "The note of a call")
    return answer


def _note(service: Service, call: GMRequest, answer: GMResponse, now: datetime) -> None:
    with primary.atomic():
        named = Named.by(call, service)
        done = answer.result.action in (Action.OK, Action.NO_CONTENT)
        if service.track_last_used and named.token is not None and done:
            named.token.mark_used(now)
        if service.call_log_size and secrets.randbelow(app_settings.call_log_sample) == 0:
            row = _logged(service, call, named, answer, now)
            Call.objects.keep(row, service.call_log_size)


def _logged(
    service: Service, call: GMRequest, named: Named, answer: GMResponse, now: datetime
) -> Call:
    known = call.gm_action in GMAction.__members__
    return Call(
        service=service,
        at=now,
        action=call.gm_action if known else "",
        code=answer.result.code,
        client_id=named.token.client.client_id if named.token else "",
        # Only the ID of a known grant: any other text may be a credential, sent by mistake.
        grant_id=named.grant.grant_id if named.grant else "",
        request_id=request_id.current(),
        answer=_shown(answer),
        steps=[asdict(check) for check in trace(call, named, answer)],
    )


def _shown(answer: GMResponse) -> dict[str, str]:
    """The answer, without the content of the grant, which is shown on the grant's own page."""
    refused = answer.result.action not in (Action.OK, Action.NO_CONTENT)
    members = {
        "resultCode": answer.result.code,
        "resultMessage": answer.message,
        "action": answer.result.action,
        "responseContent": answer.response_content if refused else None,
    }
    return {name: value for name, value in members.items() if value is not None}
