"""The routes of streams below `/api/{serviceId}/ssf/`."""

from django.urls import re_path

from . import polls, status, streams
from .views import Operation, door

_STREAM = r"(?P<stream_id>[0-9a-f-]{36})"

urlpatterns = [
    re_path(
        r"^ssf/streams\Z",
        door(
            "Streams",
            GET=Operation(streams.get, streams.READ),
            POST=Operation(streams.create, streams.CREATE, 201),
            PATCH=Operation(streams.update, streams.CHANGE),
            PUT=Operation(streams.replace, streams.CHANGE),
            DELETE=Operation(streams.delete, streams.READ, 204),
        ),
        name="ssf_streams",
    ),
    re_path(
        r"^ssf/status\Z",
        door(
            "StreamStatus",
            GET=Operation(status.get, status.READ),
            POST=Operation(status.set_status, status.SET),
        ),
        name="ssf_status",
    ),
    re_path(
        r"^ssf/subjects/add\Z",
        door("AddSubject", POST=Operation(status.add_subject, status.ADD)),
        name="ssf_add_subject",
    ),
    re_path(
        r"^ssf/subjects/remove\Z",
        door("RemoveSubject", POST=Operation(status.remove_subject, status.REMOVE, 204)),
        name="ssf_remove_subject",
    ),
    re_path(
        r"^ssf/verification\Z",
        door("Verification", POST=Operation(status.verify, status.VERIFY, 204)),
        name="ssf_verification",
    ),
    re_path(
        rf"^ssf/streams/{_STREAM}/poll\Z",
        door("Poll", POST=Operation(polls.poll, polls.POLL)),
        name="ssf_poll",
    ),
]
