"""A call and what is noted of it, where its service asks for that. None of it decides anything."""

import secrets
from dataclasses import asdict
from datetime import datetime

from .. import conf
from ..db import primary
from ..db.failures import settle, tell
from ..models import AccessToken, Call, Service
from ..protocol.results import Action, GMAction
from .flow import process_request
from .messages import GMRequest, GMResponse
from .trace import Subject, steps_of


def answer_call(
    service: Service, call: GMRequest, now: datetime, known: AccessToken | None = None
) -> GMResponse:
    """The answer to a call; and a note of it, which cannot harm it."""
    answer = process_request(service, call, now, known)
    if service.call_log_size or service.track_last_used:
        try:
            _note(service, call, answer, now)
        except Exception as error:  # noqa: BLE001 - what was done is done, and its answer goes out
            tell(error, settle(error), "The note of a call")
    return answer


def _note(service: Service, call: GMRequest, answer: GMResponse, now: datetime) -> None:
    with primary.atomic():
        about = Subject.of(service, call)
        done = answer.result.action in (Action.OK, Action.NO_CONTENT)
        if service.track_last_used and about.token is not None and done:
            about.token.mark_used(now)
        if service.call_log_size and secrets.randbelow(conf.call_log_sample()) == 0:
            row = _logged(service, call, about, answer, now)
            Call.objects.keep(row, service.call_log_size)


def _logged(
    service: Service, call: GMRequest, about: Subject, answer: GMResponse, now: datetime
) -> Call:
    known = call.gm_action in GMAction.__members__
    return Call(
        service=service,
        at=now,
        action=call.gm_action if known else "",
        code=answer.result.code,
        client_id=about.token.client.client_id if about.token else "",
        # What is no grant's ID may be anything that somebody put there by mistake.
        grant_id=about.grant.grant_id if about.grant else "",
        answer=_shown(answer),
        steps=[asdict(step) for step in steps_of(call, about, answer)],
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
