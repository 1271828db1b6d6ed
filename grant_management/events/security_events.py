"""Makes the Security Event Token of a delivery (RFC 8417)."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from ..db.of_service import these
from ..models import GrantEvent, SigningKey, StreamDelivery
from ..protocol import security_event_token, shared_signals
from ..protocol.shared_signals import STREAM_UPDATED, VERIFICATION

OF_STREAMS: Final = frozenset({VERIFICATION, STREAM_UPDATED})
"""Types of SETs that tell of the stream itself."""


class NoEvent(Exception):
    """The event was purged, so nothing can be told of it."""


def token_of(delivery: StreamDelivery) -> str:
    """The SET of a delivery: the same claims in each attempt, signed with the present key.

    NoEvent: its event was purged. CannotDecrypt: the service has no key, or it is sealed under
    another one.
    """
    tokens = tokens_of([delivery])
    if delivery.pk not in tokens:
        raise NoEvent
    return tokens[delivery.pk]


def tokens_of(deliveries: Collection[StreamDelivery]) -> dict[UUID, str]:
    """The SETs of deliveries of one stream, by their keys, without those whose events were purged.

    CannotDecrypt: as in `token_of`.
    """
    about = (one for one in deliveries if one.type not in OF_STREAMS)
    found = these(
        GrantEvent.objects.to_tell(), ((one.event, one.stream.service_id) for one in about)
    )
    events = {event.pk: event for event in found}
    told = [one for one in deliveries if one.type in OF_STREAMS or one.event in events]
    if not told:
        return {}
    sign = SigningKey.objects.signer(told[0].stream.service_id)
    return {one.pk: sign(_claims(one, events.get(one.event))) for one in told}


def _claims(delivery: StreamDelivery, event: GrantEvent | None) -> dict[str, Any]:
    """`event` is what it tells; None: it tells of the stream itself."""
    stream, service = delivery.stream, delivery.stream.service
    if event is None:
        subject, details = shared_signals.opaque(str(stream.pk)), delivery.details
    else:
        payload = event.payload()
        subject = shared_signals.subject_of(payload, service.issuer)
        details = shared_signals.details_of(payload)
    return security_event_token.claims(
        issuer=service.issuer,
        audience=stream.audience,
        jti=str(delivery.pk),
        txn=str(delivery.event),
        at=delivery.created_at,
        subject=subject,
        kind=delivery.type,
        details=details,
    )
