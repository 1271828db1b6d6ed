"""Shared Signals: the transmitter's configuration and keys, streams, and polls."""

from typing import Final

from ....api.shared_signals import polls, status, streams
from ....api.shared_signals.metadata import ConfigurationView, KeysView
from ....fields import signals as m
from ....protocol.results import Result
from ..said import Key, Said
from ..schemas import Schema
from ..shapes import COUNT, FLAG, TEXT, Shape, array_of, members, of
from .common import NAMES

R = Result
_SCHEME: Final = Shape("AuthorizationScheme", {"spec_urn": TEXT})
CONFIGURATION: Final = Shape(
    "TransmitterConfiguration",
    {
        **of("spec_version", "issuer", "jwks_uri", "configuration_endpoint", schema=TEXT),
        **of("status_endpoint", "add_subject_endpoint", "remove_subject_endpoint", schema=TEXT),
        **of("verification_endpoint", "default_subjects", schema=TEXT),
        "delivery_methods_supported": NAMES,
        "authorization_schemes": array_of(_SCHEME.ref),
    },
)
KEYS: Final = Shape("JWKSet", {"keys": array_of({"type": "object", "additionalProperties": TEXT})})
_DELIVERY: Final = Shape("StreamDelivery", of("method", "endpoint_url", schema=TEXT))
STREAM: Final = Shape(
    "Stream",
    {
        **of("stream_id", "iss", "aud", "description", schema=TEXT),
        **of("events_supported", "events_requested", "events_delivered", schema=NAMES),
        "min_verification_interval": COUNT,
        "delivery": _DELIVERY.ref,
    },
)
STREAMS: Final[Schema] = {"anyOf": [STREAM.ref, array_of(STREAM.ref)]}
STATUS: Final = Shape("StreamStatus", {"stream_id": TEXT, **members(m.STATUS)}, {"reason": TEXT})
SETS: Final = Shape(
    "SecurityEventTokens",
    {"sets": {"type": "object", "additionalProperties": TEXT}},
    {"moreAvailable": FLAG},
)
_UNKNOWN: Final = (R.STREAM_UNKNOWN,)
_SEALED: Final = (R.STREAM_UNKNOWN, R.STREAMS_NOT_CONFIGURED)
_SUBJECT: Final = (R.STREAM_UNKNOWN, R.SUBJECT_UNKNOWN)
_ONE: Final = ("stream_id",)
SAID: Final[dict[Key, Said]] = {
    (ConfigurationView, "GET"): Said(
        "getTransmitter", CONFIGURATION, summary="The configuration of a transmitter (SSF §7.1)."
    ),
    (KeysView, "GET"): Said(
        "getSigningKeys", KEYS, summary="The keys that SETs are signed with (RFC 7517 §5)."
    ),
    (streams.get, "GET"): Said(
        "getStreams",
        STREAMS,
        _UNKNOWN,
        summary="One stream of the receiver, or all of them (SSF §8.1.1.2).",
    ),
    (streams.create, "POST"): Said(
        "createStream",
        STREAM,
        (R.STREAMS_NOT_CONFIGURED,),
        summary="A new stream (SSF §8.1.1.1).",
        status=201,
    ),
    (streams.update, "PATCH"): Said(
        "updateStream", STREAM, _SEALED, _ONE, "Change the properties given (SSF §8.1.1.3)."
    ),
    (streams.replace, "PUT"): Said(
        "replaceStream", STREAM, _SEALED, _ONE, "Replace all properties (SSF §8.1.1.4)."
    ),
    (streams.delete, "DELETE"): Said(
        "deleteStream", None, _UNKNOWN, summary="Delete a stream (SSF §8.1.1.5)."
    ),
    (status.get, "GET"): Said(
        "getStreamStatus", STATUS, _UNKNOWN, summary="The status of a stream (SSF §8.1.2.1)."
    ),
    (status.set_status, "POST"): Said(
        "setStreamStatus",
        STATUS,
        _UNKNOWN,
        ("stream_id", "status"),
        "Enable, pause or disable a stream (SSF §8.1.2.2).",
    ),
    (status.add_subject, "POST"): Said(
        "addSubject",
        None,
        _SUBJECT,
        ("stream_id", "subject"),
        "Tell of a subject again (SSF §8.1.3.2).",
        status=200,
    ),
    (status.remove_subject, "POST"): Said(
        "removeSubject",
        None,
        _SUBJECT,
        ("stream_id", "subject"),
        "Tell no more of a subject (SSF §8.1.3.3).",
    ),
    (status.verify, "POST"): Said(
        "verifyStream",
        None,
        (*_UNKNOWN, R.VERIFIED_JUST_BEFORE),
        _ONE,
        "Send a verification event (SSF §8.1.4.2).",
    ),
    (polls.poll, "POST"): Said(
        "pollStream", SETS, _SEALED, summary="Fetch SETs, and acknowledge others (RFC 8936)."
    ),
}
