"""Pushes a Security Event Token to a receiver (RFC 8935)."""

from typing import Final

from .. import tracing
from ..db import encryption
from ..models import GrantEvent, StreamDelivery
from ..models.webhook_attempt import Outcome
from ..protocol import security_event_token, strict_json
from . import sending
from .security_events import NoEvent, token_of

ACCEPTED: Final = 202
FAILED: Final = 400
LASTING: Final = frozenset(
    {"invalid_request", "invalid_issuer", "invalid_audience", "invalid_state"}
)
"""Errors of a receiver who would say the same of the same SET later (RFC 8935 §2.4, SSF §8.1.4.1).

After others the SET is sent again: a receiver may not know a new key yet, and what it says of the
sender's authorization may be mended.
"""


def push(delivery: StreamDelivery) -> Outcome:
    """Send the SET of a delivery, once; how it ended."""
    try:
        body = token_of(delivery).encode()
        url, headers, parent = delivery.stream.url, _headers(delivery), _parent(delivery)
        answer = sending.post(url, body, headers, parent, reads=sending.SMALL)
    except NoEvent:
        return Outcome.NO_EVENT
    except encryption.CannotDecrypt:
        return Outcome.NO_KEY
    except sending.NotSent as error:
        return error.outcome
    return _outcome_of(answer)


def _parent(delivery: StreamDelivery) -> tracing.Carrier:
    """The trace context of the request that the event comes from."""
    if tracing.tracer is None:
        return {}
    rows = GrantEvent.objects.filter(service=delivery.stream.service_id, pk=delivery.event)
    event = rows.only("details").first()
    return tracing.carried(event.details) if event else {}


def _headers(delivery: StreamDelivery) -> dict[str, str]:
    headers = {
        "Content-Type": security_event_token.MEDIA_TYPE,
        "Accept": "application/json",
        "User-Agent": "django-grant-management",
    }
    if delivery.stream.header is not None:
        headers["Authorization"] = encryption.decrypt(bytes(delivery.stream.header)).decode()
    return headers


def _outcome_of(answer: sending.Answer) -> Outcome:
    if answer.status == ACCEPTED:
        return Outcome.DELIVERED
    if 300 <= answer.status < 400:
        return Outcome.REDIRECTED
    is_lasting = answer.status == FAILED and _error_of(answer.body) in LASTING
    return Outcome.NOT_ACCEPTED if is_lasting else Outcome.REFUSED


def _error_of(body: bytes) -> str:
    """The code of the error in the answer (RFC 8935 §2.3); "": it names none."""
    try:
        members = strict_json.loads(body)
    except ValueError:
        return ""
    code = members.get("err") if isinstance(members, dict) else None
    return code if isinstance(code, str) else ""
