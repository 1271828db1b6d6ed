"""The members of Shared Signals: of streams (SSF §8.1), and of polls (RFC 8936 §2.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from ..protocol.shared_signals import METHODS, POLL, PUSH, STATUSES
from .field import Field
from .numeric import WholeNumber
from .strings import Choice, Flag, Text
from .urls import WebhookUrl

_URL: Final = WebhookUrl("endpoint_url")
_HEADER: Final = re.compile(r"[\x21-\x7E](?:[\x20-\x7E]{0,4094}[\x21-\x7E])?")


@dataclass(frozen=True)
class Strings(Field):
    """An array of strings, in the order in which they first appear."""

    most: int = 100
    longest: int = 500
    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """The rule, with both bounds."""
        return f"must be an array of at most {self.most} strings of 1 to {self.longest} characters"

    def read(self, value: Any) -> list[str]:
        """The distinct strings."""
        given = value if isinstance(value, list) and len(value) <= self.most else [None]
        if not all(isinstance(one, str) and 0 < len(one) <= self.longest for one in given):
            raise self.refused()
        return list(dict.fromkeys(given))


@dataclass(frozen=True)
class DeliveryMethod(Field):
    """How SETs are delivered (SSF §6.1): an object that `method` leads."""

    type: ClassVar[str] = "object"

    @property
    def sentence(self) -> str:
        """The rule, with both methods."""
        return (
            f"must be an object with the 'method' {POLL}, or {PUSH} with 'endpoint_url', which"
            f" {_URL.sentence}, and perhaps 'authorization_header', of 1 to 4096 visible characters"
        )

    def read(self, value: Any) -> dict[str, Any]:
        """`method`; of push also `endpoint_url` and `authorization_header` (None: there is none).

        Of poll `endpoint_url` only where it was sent: it is the server's to say.
        """
        method = value.get("method") if isinstance(value, dict) else None
        if method not in METHODS:
            raise self.refused()
        url = value.get("endpoint_url")
        if method == POLL:
            return {"method": method} | ({} if url is None else {"endpoint_url": url})
        return {
            "method": method,
            "endpoint_url": self._url(url),
            "authorization_header": self._header(value.get("authorization_header")),
        }

    def _url(self, value: Any) -> str:
        try:
            return _URL.read(value)
        except ValueError:
            raise self.refused() from None

    def _header(self, value: Any) -> str | None:
        if value is not None and not (isinstance(value, str) and _HEADER.fullmatch(value)):
            raise self.refused()
        return value


@dataclass(frozen=True)
class Subject(Field):
    """A subject (RFC 9493, SSF §3): which ones are known is not decided here."""

    type: ClassVar[str] = "object"

    @property
    def sentence(self) -> str:
        """The rule that every subject obeys."""
        return "must be an object with a string 'format'"

    def read(self, value: Any) -> dict[str, Any]:
        """The subject, unchanged."""
        if not isinstance(value, dict) or not isinstance(value.get("format"), str):
            raise self.refused()
        return value


@dataclass(frozen=True)
class SetErrors(Field):
    """What a receiver says of SETs that it refuses, by `jti` (RFC 8936 §2.6)."""

    most: int = 1_000
    type: ClassVar[str] = "object"

    @property
    def sentence(self) -> str:
        """The rule, with the greatest number."""
        return f"must be an object of at most {self.most} objects with a string 'err' each"

    def read(self, value: Any) -> list[str]:
        """The `jti`s. The errors' texts are the receiver's own, and are not kept."""
        if not isinstance(value, dict) or len(value) > self.most:
            raise self.refused()
        for one in value.values():
            if not isinstance(one, Mapping) or not isinstance(one.get("err"), str):
                raise self.refused()
        return list(value)


STREAM_ID = Text("stream_id")
EVENTS_REQUESTED = Strings("events_requested")
DELIVERY = DeliveryMethod("delivery")
STREAM_DESCRIPTION = Text("description", shortest=0)
STATUS = Choice("status", choices=STATUSES)
STATUS_REASON = Text("reason", shortest=0)
SUBJECT = Subject("subject")
VERIFIED = Flag("verified")
INTERVAL = WholeNumber("min_verification_interval")
STATE = Text("state", shortest=0, longest=1_000, controls=True)
MAX_EVENTS = WholeNumber("maxEvents")
RETURN_IMMEDIATELY = Flag("returnImmediately")
ACK = Strings("ack", most=1_000)
SET_ERRS = SetErrors("setErrs")
MEMBERS: Final[tuple[Field, ...]] = (
    STREAM_ID,
    EVENTS_REQUESTED,
    DELIVERY,
    STREAM_DESCRIPTION,
    STATUS,
    STATUS_REASON,
    SUBJECT,
    VERIFIED,
    INTERVAL,
    STATE,
    MAX_EVENTS,
    RETURN_IMMEDIATELY,
    ACK,
    SET_ERRS,
)
