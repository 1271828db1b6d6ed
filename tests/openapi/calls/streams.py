from grant_management.models import ApiToken, Stream

from ...world import BY_TEST
from ..scene import Call

NONE = "01900000-0000-7000-8000-000000000000"
APP = {"format": "complex", "application": {"format": "opaque", "id": "app-1"}}


def one(scene):
    token = ApiToken.objects.get(service=scene.service)
    return Stream.objects.register(token, scene.service, BY_TEST, method="poll")


def asked(query=False, **members):
    """A stream is there, and the request names it."""

    def prepare(scene):
        made = str(one(scene).pk)
        if query:
            return {"query": f"?stream_id={made}"}
        return {"body": {"stream_id": made, **members}}

    return prepare


def there(scene):
    one(scene)


def polled(scene):
    return {"parameters": {"streamId": one(scene).pk}}


CALLS = [
    Call("getTransmitter", "The configuration", token=""),
    Call("getTransmitter", "No such service", {"serviceId": 1002}, token=""),
    Call("getSigningKeys", "The keys", token=""),
    Call("createStream", "SETs are polled", body={"description": "SIEM"}),
    Call("createStream", "No such method", body={"delivery": {"method": "fax"}}),
    Call("getStreams", "All streams", prepare=there),
    Call("getStreams", "The stream", prepare=asked(query=True)),
    Call("getStreams", "No such stream", query=f"?stream_id={NONE}"),
    Call("updateStream", "Another description", prepare=asked(description="SOC")),
    Call("replaceStream", "With a description alone", prepare=asked(description="SOC")),
    Call("deleteStream", "It is deleted", prepare=asked(query=True)),
    Call("getStreamStatus", "It is enabled", prepare=asked(query=True)),
    Call("setStreamStatus", "It is paused", prepare=asked(status="paused", reason="upgrade")),
    Call("addSubject", "It is told of again", prepare=asked(subject=APP)),
    Call("removeSubject", "It is told of no more", prepare=asked(subject=APP)),
    Call(
        "removeSubject", "No event is about such a subject", prepare=asked(subject={"format": "x"})
    ),
    Call("verifyStream", "The event is sent", prepare=asked(state="x")),
    Call("pollStream", "Nothing waits", body={"maxEvents": 10}, prepare=polled),
]
