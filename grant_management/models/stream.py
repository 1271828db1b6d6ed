"""Streams of Shared Signals: who gets which security events of a service, and how."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..db import apart, clock, encryption, primary
from ..db.ids import uuid7
from ..protocol.shared_signals import SUPPORTED
from ..protocol.uris import without_secrets
from . import copies, publishing
from .api_token import ApiToken
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .receiver import Receiver, check_room
from .service import Service
from .signing_key import SigningKey

VERIFIED_EVERY: Final = timedelta(seconds=30)
"""The least time between two verifications of a stream (SSF §8.1.1)."""
HEADER: Final = "authorization_header"
"""The one property of a stream that is encrypted, and shown nowhere."""


class Delivered(models.TextChoices):
    """How the SETs of a stream are delivered."""

    PUSH = "push", _("Push (RFC 8935)")
    POLL = "poll", _("Poll (RFC 8936)")


class StreamStatus(models.TextChoices):
    """Whether a stream transmits (SSF §8.1.2)."""

    ENABLED = "enabled", _("Enabled")
    PAUSED = "paused", _("Paused")
    DISABLED = "disabled", _("Disabled")


class StreamQuerySet(primary.PrimaryQuerySet["Stream"]):
    """The store of streams."""

    def register(self, api_token: ApiToken, service: Service, actor: Actor, **fields: Any) -> Any:
        """A new stream of the receiver that has this API token.

        Every event whose transaction ends after this one is told. CannotDecrypt: there are no
        `ENCRYPTION_KEYS`. TooManyReceivers: the receiver has `AT_MOST`.
        """
        with primary.atomic():
            now = publishing.begin(service)
            check_room(self.of(service, api_token))
            SigningKey.objects.begin(service, now)
            columns = sealed(fields)
            copies.of_api_token(api_token)
            stream = Stream(service=service, api_token=api_token, created_at=now, **columns)
            stream.save(force_insert=True)
            stream.record(EventKind.STREAM_CREATED, actor, NO_REASON, **stream.told())
        return stream

    def of(self, service: Service, api_token: ApiToken) -> Self:
        """The streams of a receiver at a service, the oldest first, without deleted ones."""
        return self.filter(service=service, api_token=api_token, deleted_at=None).order_by("pk")

    def receiving(self, now: datetime) -> Self:
        """Those that are told what happens: not disabled, and their API tokens are valid."""
        return self.filter(
            valid(now),
            status__in=(StreamStatus.ENABLED, StreamStatus.PAUSED),
            deleted_at=None,
        )

    def purge_deleted(self) -> int:
        """Delete the rows of deleted streams whose deliveries are gone; how many."""
        rows = self.filter(deleted_at__isnull=False, streamdelivery=None)
        keys = list(rows.values_list("pk", flat=True)[:1_000])
        self.filter(pk__in=keys).delete()
        return len(keys)


class Stream(Receiver):
    """A stream of a receiver, who is the holder of an API token.

    `url` and `header` belong to push; `header` is encrypted. A deleted one is hidden and disabled;
    the purge deletes its deliveries, and then its row.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    api_token = models.ForeignKey(
        ApiToken, on_delete=models.PROTECT, db_index=False, verbose_name=_("API token")
    )
    method = models.CharField(_("method"), max_length=4, choices=Delivered.choices)
    url = models.CharField(_("URL"), max_length=2_000, blank=True, default="")
    header = models.BinaryField(null=True)
    events_requested = models.JSONField(_("events requested"), default=list)
    description = models.CharField(_("description"), max_length=255, blank=True, default="")
    status = models.CharField(
        _("status"), max_length=8, choices=StreamStatus.choices, default=StreamStatus.ENABLED
    )
    reason = models.CharField(_("reason"), max_length=255, blank=True, default="")
    created_at = models.DateTimeField(_("created"))
    verified_at = models.DateTimeField(_("verification asked for"), null=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True)

    objects = StreamQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("stream")
        verbose_name_plural = _("streams")
        permissions = [("manage_stream", "Can manage stream")]
        indexes = [models.Index(fields=["service", "api_token", "id"], name="gm_stream_receiver")]

    def __str__(self) -> str:
        return self.description or str(self.pk)

    @property
    def audience(self) -> str:
        """The `aud` of its SETs: the receiver, as a URN (RFC 9562 §4)."""
        return f"urn:uuid:{self.api_token_id}"

    @property
    def delivered(self) -> list[str]:
        """The types of events that it gets (SSF §8.1.1, `events_delivered`)."""
        return [one for one in SUPPORTED if one in self.events_requested]

    @property
    def is_pushed(self) -> bool:
        """Whether a worker sends its SETs now."""
        return self.method == Delivered.PUSH and self.status == StreamStatus.ENABLED

    def told(self) -> dict[str, Any]:
        """Its properties, as events record them: the query of a URL may have a credential."""
        return {
            "streamId": str(self.pk),
            "method": self.method,
            "url": without_secrets(self.url),
            "eventsRequested": self.events_requested,
            "description": self.description,
            "status": self.status,
        }

    def change(self, actor: Actor, why: Reason = NO_REASON, **fields: Any) -> bool:
        """Change columns; False: nothing differs. What waits is delivered in the new way.

        Stream.DoesNotExist: it was deleted. CannotDecrypt: there are no `ENCRYPTION_KEYS`.
        """
        with primary.atomic():
            held, now = self.hold()
            columns = sealed(fields)
            changed = {name: one for name, one in columns.items() if getattr(held, name) != one}
            if not changed:
                return False
            before = held.told()
            held.become(changed | {"failures": 0, "paused_until": None})
            self.streamdelivery_set.move(held, now)
            about = {"streamId": str(self.pk), "before": before, "after": held.told()}
            hidden = sorted(changed.keys() & {"url", "header"})
            about |= {"changed": hidden} if hidden else {}
            held.record(EventKind.STREAM_CHANGED, actor, why, **about)
        self.become(changed, save=False)
        return True

    def remove(self, actor: Actor, why: Reason = NO_REASON) -> bool:
        """Delete it, and what the receiver authorises calls with; False: it is gone already."""
        with primary.atomic():
            try:
                held, now = self.hold()
            except Stream.DoesNotExist:
                return False
            held.record(EventKind.STREAM_DELETED, actor, why, **held.told())
            ended = {"deleted_at": now, "status": StreamStatus.DISABLED, "header": None}
            held.become(ended)
            self.streamdelivery_set.move(held, now)
        return True

    def become(self, fields: dict[str, Any], *, save: bool = True) -> None:
        """Set columns; `save`: write them."""
        for name, value in fields.items():
            setattr(self, name, value)
        if save:
            self.save(update_fields=list(fields))

    def hold(self) -> tuple["Stream", datetime]:
        """Its row, locked in the caller's transaction, and the time.

        Whoever plans deliveries locks it too, so these see one status. Stream.DoesNotExist: it was
        deleted.
        """
        rows = Stream.objects.select_for_update().filter(deleted_at=None)
        return rows.get(pk=self.pk), clock.now()

    def record(self, kind: EventKind, actor: Actor, why: Reason, **details: Any) -> GrantEvent:
        """Add an event about it, in the transaction of the change."""
        about: dict[str, Any] = {"details": details} | asdict(why)
        return GrantEvent.objects.record(kind, self.service_id, clock.now(), actor, **about)

    def event_fields(self) -> dict[str, Any]:
        """The lookups by which its events are found."""
        return {"service_id": self.service_id, "details__streamId": str(self.pk)}


def valid(now: datetime) -> Q:
    """The lookup of streams whose API token is neither expired nor revoked."""
    if apart.is_away():  # the streams live apart, but not the API tokens
        keys = set(Stream.objects.filter(deleted_at=None).values_list("api_token_id", flat=True))
        active = ApiToken.objects.active(now).filter(pk__in=keys)
        return Q(api_token__in=list(active.values_list("pk", flat=True)))
    alive = Q(api_token__expires_at=None) | Q(api_token__expires_at__gt=now)
    return alive & Q(api_token__revoked_at=None)


def sealed(fields: dict[str, Any]) -> dict[str, Any]:
    """The columns of properties. CannotDecrypt: there is no key to encrypt the header with."""
    columns = dict(fields)
    if HEADER in columns:
        value = columns.pop(HEADER)
        columns["header"] = encryption.encrypt(value.encode()) if value else None
    return columns
