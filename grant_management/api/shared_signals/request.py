"""The request of an operation on streams, and the streams that it names."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from ...models import Actor, ApiToken, Service, Stream
from ...protocol.results import Refused, Result


class StreamRequest(NamedTuple):
    """The service, the receiver's API token and the values of a request.

    `members` are all members as they were sent; `values` those that the operation declares.
    """

    service: Service
    api_token: ApiToken
    members: Mapping[str, Any]
    values: Mapping[str, Any]
    now: datetime

    @property
    def caller(self) -> Actor:
        """The actor of the events that it causes."""
        return Actor.api_token(self.api_token)

    def stream(self) -> Stream:
        """The stream of `stream_id`. Refused: it is missing, or the receiver has no such stream."""
        if "stream_id" not in self.values:
            raise Refused(Result.BODY_UNREADABLE, "'stream_id' is missing.")
        return self.stream_of(self.values["stream_id"])

    def stream_of(self, stream_id: str) -> Stream:
        """The receiver's stream of this ID. Refused: there is none."""
        try:
            key = UUID(stream_id)
        except ValueError:
            raise Refused(Result.STREAM_UNKNOWN) from None
        stream = Stream.objects.of(self.service, self.api_token).filter(pk=key).first()
        if stream is None:
            raise Refused(Result.STREAM_UNKNOWN)
        return stream
