"""Makes the Security Event Token of a delivery (RFC 8417)."""

from ..models import GrantEvent, SigningKey, StreamDelivery
from ..protocol import security_event_token, shared_signals
from ..protocol.event_payload import EventPayload
from ..protocol.shared_signals import STREAM_UPDATED, VERIFICATION


class NoEvent(Exception):
    """The event was purged, so nothing can be told of it."""


def token_of(delivery: StreamDelivery) -> str:
    """The SET of a delivery: the same claims in each attempt, signed with the present key.

    NoEvent: its event was purged. CannotDecrypt: the service has no key, or it is sealed under
    another one.
    """
    stream, service = delivery.stream, delivery.stream.service
    if delivery.type in (VERIFICATION, STREAM_UPDATED):
        subject, details = shared_signals.opaque(str(stream.pk)), delivery.details
    else:
        payload = _payload(delivery)
        subject = shared_signals.subject_of(payload, service.issuer)
        details = shared_signals.details_of(payload)
    claims = security_event_token.claims(
        issuer=service.issuer,
        audience=stream.audience,
        jti=str(delivery.pk),
        txn=str(delivery.event),
        at=delivery.created_at,
        subject=subject,
        kind=delivery.type,
        details=details,
    )
    return SigningKey.objects.sign(service.pk, claims)


def _payload(delivery: StreamDelivery) -> EventPayload:
    event = GrantEvent.objects.filter(pk=delivery.event).first()
    if event is None:
        raise NoEvent
    return event.payload()
