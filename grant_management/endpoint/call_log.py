"""A call and what is noted of it, where its service asks for that. None of it decides anything."""

import secrets
from dataclasses import asdict
from datetime import datetime

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
    """The answer to a call; and a note of it, which cannot harm it."""
    answer = process(Context(service, call, now, known))
    if service.call_log_size or service.track_last_used:
        try:
            _note(service, call, answer, now)
        except Exception as error:  # noqa: BLE001 - what was done is done, and its answer goes out
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
        # What is no grant's ID may be anything that somebody put there by mistake.
        grant_id=named.grant.grant_id if named.grant else "",
        answer=_shown(answer),
        steps=[asdict(check) for check in trace(call, named, answer)],
    )


def _shown(answer: GMResponse) -> dict[str, str]:
    """What went out, without what the grant holds: that is on the grant's own page."""
    refused = answer.result.action not in (Action.OK, Action.NO_CONTENT)
    members = {
        "resultCode": answer.result.code,
        "resultMessage": answer.message,
        "action": answer.result.action,
        "responseContent": answer.response_content if refused else None,
    }
    return {name: value for name, value in members.items() if value is not None}
