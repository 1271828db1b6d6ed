"""Subjects that a receiver removed from a stream: it gets no events about them."""

from collections.abc import Mapping
from typing import Any

from django.db import models

from ..db import primary
from ..db.of_service import ForeignKeyWithinService
from ..protocol.shared_signals import digest_of
from ..protocol.strict_json import canonical
from .event import NO_REASON, Actor, EventKind
from .service import Service
from .stream import Stream


class StreamSubjectQuerySet(primary.PrimaryQuerySet["StreamSubject"]):
    """The subjects that were removed."""

    def remove(self, stream: Stream, subject: Mapping[str, Any], actor: Actor) -> bool:
        """Tell the stream no more about a subject's members; False: it was removed already.

        Stream.DoesNotExist: the stream was deleted.
        """
        with primary.atomic():
            held, now = stream.hold()
            digest = digest_of(subject)
            about = {"service_id": held.service_id, "stream": held, "digest": digest}
            if self.filter(**about).exists():
                return False
            self.create(subject=canonical(dict(subject)), removed_at=now, **about)
            _record(held, EventKind.SUBJECT_REMOVED, subject, actor)
        return True

    def add(self, stream: Stream, subject: Mapping[str, Any], actor: Actor) -> bool:
        """Tell the stream about it again; False: it was not removed.

        Stream.DoesNotExist: the stream was deleted.
        """
        with primary.atomic():
            held, _now = stream.hold()
            rows = self.filter(service=held.service_id, stream=held, digest=digest_of(subject))
            if not rows.delete()[0]:
                return False
            _record(held, EventKind.SUBJECT_ADDED, subject, actor)
        return True

    def among(self, service_id: int, digests: set[bytes]) -> set[tuple[Any, bytes]]:
        """The stream and the digest of each of these subjects that was removed from a stream."""
        rows = self.filter(service=service_id, digest__in=digests)
        return {(key, bytes(digest)) for key, digest in rows.values_list("stream", "digest")}


class StreamSubject(models.Model):
    """A subject that was removed from a stream: its members as canonical JSON, and their digest."""

    id = models.BigAutoField(primary_key=True)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, db_index=False)
    stream = ForeignKeyWithinService(Stream, on_delete=models.CASCADE, db_index=False)
    digest = models.BinaryField(max_length=32)
    subject = models.TextField()
    removed_at = models.DateTimeField()

    objects = StreamSubjectQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(
                fields=["service", "digest", "stream"], name="gm_stream_subject_unique"
            )
        ]

    def __str__(self) -> str:
        return self.subject


def _record(stream: Stream, kind: EventKind, subject: Mapping[str, Any], actor: Actor) -> None:
    about = {"streamId": str(stream.pk), "members": dict(subject)}
    stream.record(kind, actor, NO_REASON, **about)
