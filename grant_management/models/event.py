"""Events: what was done, when, by whom and why. Append-only."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NoReturn, Self, TypeVar
from uuid import UUID

from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext_lazy as _

from .. import request_id, signals, tracing
from ..db import primary
from ..db.ids import uuid7
from ..db.of_service import these
from ..db.primary import PrimaryQuerySet
from ..db.service_row import OfService
from ..protocol.event_payload import TYPES, EventPayload
from .actor import NO_REASON, Actor, ActorKind, Reason
from .outbox import OutboxEntry

__all__ = ["NO_REASON", "Actor", "ActorKind", "Event", "EventKind", "GrantEvent", "Reason"]


class EventKind(models.TextChoices):
    """The kinds of events."""

    CREATED = "created", _("Grant created")
    MERGED = "merged", _("Grant merged")
    REPLACED = "replaced", _("Grant replaced")
    REVOKED = "revoked", _("Grant revoked")
    REFRESH_REUSED = "refresh_reused", _("Rotated refresh token used again")
    TOKENS_REVOKED = "tokens_revoked", _("Tokens revoked")
    CUT_OFF = "cut_off", _("Cut-off moved")
    CLIENT_LOCKED = "client_locked", _("Client locked")
    CLIENT_UNLOCKED = "client_unlocked", _("Client unlocked")
    NONCE_EXPIRED = "nonce_expired", _("DPoP nonce expired by hand")
    IMPORTED = "imported", _("Records imported")
    API_TOKEN_ISSUED = "api_token_issued", _("API token issued")
    API_TOKEN_ROTATED = "api_token_rotated", _("API token rotated")
    API_TOKEN_REVOKED = "api_token_revoked", _("API token revoked")
    API_TOKEN_CHANGED = "api_token_changed", _("API token changed")
    ORGANIZATION_CREATED = "organization_created", _("Organization created")
    ORGANIZATION_CHANGED = "organization_changed", _("Organization changed")
    SERVICE_CREATED = "service_created", _("Service created")
    SERVICE_DELETED = "service_deleted", _("Service deleted")
    MEMBER_ADDED = "member_added", _("Member added")
    MEMBER_REMOVED = "member_removed", _("Member removed")
    OPERATOR_CREATED = "operator_created", _("Operator created")
    OPERATOR_CHANGED = "operator_changed", _("Operator changed")
    SETTINGS_CHANGED = "settings_changed", _("Settings changed")
    CLIENT_CREATED = "client_created", _("Client created")
    CLIENT_CHANGED = "client_changed", _("Client changed")
    CLIENT_DELETED = "client_deleted", _("Client deleted")
    DESCRIPTION_CHANGED = "description_changed", _("Description changed")
    TOKEN_CHANGED = "token_changed", _("Access token changed")
    JOB_STARTED = "job_started", _("Revoke by filter started")
    JOB_PAUSED = "job_paused", _("Revoke by filter paused")
    JOB_RESUMED = "job_resumed", _("Revoke by filter resumed")
    JOB_FINISHED = "job_finished", _("Revoke by filter finished")
    WEBHOOK_CREATED = "webhook_created", _("Webhook created")
    WEBHOOK_CHANGED = "webhook_changed", _("Webhook changed")
    WEBHOOK_DELETED = "webhook_deleted", _("Webhook deleted")
    WEBHOOK_KEY_ROTATED = "webhook_key_rotated", _("Webhook's key rotated")
    WEBHOOK_DISABLED = "webhook_disabled", _("Webhook disabled by its receiver")
    WEBHOOK_TESTED = "webhook_tested", _("Webhook tested")
    WEBHOOK_REPLAYED = "webhook_replayed", _("Events sent again")
    STREAM_CREATED = "stream_created", _("Stream created")
    STREAM_CHANGED = "stream_changed", _("Stream changed")
    STREAM_DELETED = "stream_deleted", _("Stream deleted")
    STREAM_VERIFIED = "stream_verified", _("Verification of a stream asked for")
    SUBJECT_ADDED = "subject_added", _("Subject added to a stream")
    SUBJECT_REMOVED = "subject_removed", _("Subject removed from a stream")
    SIGNING_KEY_ROTATED = "signing_key_rotated", _("Signing key rotated")


Told = Mapping[str, Any]
"""Details that the caller of a change adds to its event, such as the numbers that a page showed."""
E = TypeVar("E", bound="Event")


class EventQuerySet(PrimaryQuerySet[E]):
    """Events can be added and read; only retention deletes them."""

    def purge_oldest(self, before: datetime, batch_size: int) -> int:
        """Delete the oldest events before a moment, at most `batch_size`; how many were deleted.

        Retention is the only way to delete events.
        """
        oldest = self.filter(at__lt=before).order_by("at")[:batch_size]
        # Past this class's own `delete`, which refuses.
        return models.QuerySet.delete(self._read(oldest))[0]

    def _read(self, rows: Self) -> Self:
        """The same rows, which are read now, by their keys."""
        keys = list(rows.values_list("pk", flat=True))
        return self.model._default_manager.filter(pk__in=keys)  # type: ignore[return-value]

    def update(self, **kwargs: Any) -> NoReturn:
        """TypeError: events are append-only."""
        raise TypeError("Events are append-only.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """TypeError: events are append-only."""
        raise TypeError("Events are append-only.")

    def delete(self) -> NoReturn:
        """TypeError: events are append-only."""
        raise TypeError("Events are append-only.")


class Event(models.Model):
    """One change. Names and IDs are stored as text, so that an event never changes later."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    kind = models.CharField(_("what"), max_length=20, choices=EventKind.choices)
    at = models.DateTimeField(_("at"))
    actor_kind = models.CharField(_("actor's kind"), max_length=20, choices=ActorKind.choices)
    actor = models.CharField(_("actor"), max_length=255)
    actor_id = models.CharField(_("actor's ID"), max_length=255, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=50, blank=True, default="")
    note = models.TextField(_("note"), blank=True, default="")
    ticket = models.CharField(_("ticket"), max_length=255, blank=True, default="")
    details = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind_in_words} ({self.at:%Y-%m-%d %H:%M:%S} UTC)"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the event. TypeError: it was saved before."""
        if not self._state.adding:
            raise TypeError("Events are append-only.")
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """TypeError: events are append-only."""
        raise TypeError("Events are append-only.")

    @property
    def kind_in_words(self) -> str:
        """The label of its kind. (Django's `get_kind_display` translates those of all kinds.)"""
        return _label(EventKind, self.kind)

    @property
    def done_by(self) -> str:
        """The label of its actor's kind, and the actor."""
        return f"{_label(ActorKind, self.actor_kind)} {self.actor}"

    @classmethod
    def about(cls, kind: EventKind, at: datetime, actor: Actor, **fields: Any) -> Self:
        """An unsaved event. Its key has the time `at`, since daily counts select events by key."""
        fields.setdefault("id", uuid7(at))
        by = {"actor_kind": actor.kind, "actor": actor.name[:255], "actor_id": actor.id[:255]}
        if actor.sudo_user:
            fields["details"] = {**fields.get("details", {}), "sudo_user": actor.sudo_user}
        if of_request := request_id.current():
            fields["details"] = {**fields.get("details", {}), "request_id": of_request}
        if tracing.tracer is not None and (parent := tracing.tracer.parent()):
            fields["details"] = {**fields.get("details", {}), **parent}
        return cls(kind=kind, at=at, **by, **fields)


def _label(choices: type[models.TextChoices], value: str) -> str:
    """In words; the value itself where a later version has stored one that is unknown here."""
    try:
        return str(choices(value).label)
    except ValueError:
        return value


HEADS: Final = (
    models.Q(job=None)
    | models.Q(id=models.F("job"))
    | models.Q(kind=EventKind.JOB_STARTED)
    | models.Q(kind=EventKind.CUT_OFF)
)
"""One event of each job, and every event that is of no job. Of a job it is the event of its start,
or that with the job's own key. An index has them, since a job may have a million events.
"""


class GrantEventQuerySet(EventQuerySet["GrantEvent"]):
    """The events of services."""

    def to_tell(self) -> Self:
        """With what `payload` has, and without the other details: they may be what a large grant
        held.
        """
        return self.defer("details").annotate(request_id=KeyTextTransform("request_id", "details"))

    def record(
        self,
        kind: EventKind,
        service_id: int,
        at: datetime,
        actor: Actor,
        *,
        is_told: bool | None = None,
        **fields: Any,
    ) -> "GrantEvent":
        """Add the event of a change, in the transaction of that change.

        `is_told` is the service's `publishes_events`, where the caller read it under a lock on the
        service; None: it is looked up.
        """
        event = GrantEvent.about(kind, at, actor, service_id=service_id, **fields)
        event.save()
        tell([event], is_told=is_told)
        return event

    def _read(self, rows: Self) -> Self:
        found: Self = these(GrantEvent.objects.all(), list(rows.values_list("pk", "service_id")))
        return found

    def of_outbox(self, rows: Iterable[Any]) -> "dict[UUID, GrantEvent]":
        """The events of rows that have an `event` and a `service_id`, by their keys. 1 query."""
        found = these(self, ((row.event, row.service_id) for row in rows))
        return {event.pk: event for event in found}

    def record_all(self, events: "list[GrantEvent]") -> None:
        """Add unsaved events of one service, in the transaction of their changes."""
        self.bulk_create(events)
        tell(events)


class GrantEvent(Event, OfService):
    """What happened at a service: to a grant, to tokens, to a client, to the service itself."""

    service = models.ForeignKey(
        "grant_management.Service",
        on_delete=models.PROTECT,
        db_index=False,
        verbose_name=_("service"),
    )
    job = models.UUIDField(_("job"), null=True, blank=True)
    client_id = models.CharField(_("client ID"), max_length=255, blank=True, default="")
    grant_id = models.CharField(_("grant ID"), max_length=255, blank=True, default="")
    subject = models.CharField(_("subject"), max_length=255, null=True, blank=True)

    objects = GrantEventQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            # Every query names the service, so every index begins with it, and the foreign key has
            # no index of its own (`db_index=False`).
            models.Index(fields=["service", "grant_id", "-at"], name="gm_event_grant"),
            models.Index(fields=["service", "-at", "-id"], name="gm_event_newest"),
            models.Index(fields=["service", "client_id", "-at"], name="gm_event_client"),
            models.Index(fields=["service", "subject", "-at"], name="gm_event_subject"),
            models.Index(fields=["service", "actor", "-at"], name="gm_event_actor"),
            models.Index(
                fields=["service", "job", "id"],
                name="gm_event_job",
                condition=models.Q(job__isnull=False),
            ),
            models.Index(fields=["service", "-at", "-id"], name="gm_event_heads", condition=HEADS),
            # SQLite uses these where a query has the same condition. It would take `ticket > ""`
            # for a range, and sort.
            models.Index(
                fields=["service", "ticket", "-at", "-id"],
                name="gm_event_ticket",
                condition=~models.Q(ticket=""),
            ),
            models.Index(
                fields=["service", "ticket", "-at", "-id"],
                name="gm_event_ticket_heads",
                condition=~models.Q(ticket="") & HEADS,
            ),
        ]

    def payload(self) -> EventPayload:
        """What is told of it outside of this system."""
        return EventPayload(
            id=self.pk,
            type=TYPES.get(self.kind, self.kind),
            at=self.at,
            service_id=self.service_id,
            client_id=self.client_id,
            grant_id=self.grant_id,
            subject=self.subject,
            actor=self.actor_kind,
            reason=self.reason,
            request_id=self._request_id(),
        )

    def _request_id(self) -> str:
        """The ID of the request in the details; it was read without them by `to_tell`."""
        if "details" in self.get_deferred_fields():
            return getattr(self, "request_id", None) or ""
        found: str = self.details.get("request_id", "")
        return found


def tell(events: list[GrantEvent], *, is_told: bool | None = None) -> None:
    """Put new events of one service into the outbox, and send `events_recorded` after the commit.

    Both cost nothing where nobody listens. `is_told`: as in `GrantEventQuerySet.record`.
    """
    if events:
        OutboxEntry.objects.put(
            events[0].service_id, [event.pk for event in events], is_told=is_told
        )
    if events and signals.events_recorded.has_listeners(GrantEvent):
        payloads = tuple(event.payload() for event in events)
        primary.on_commit(
            lambda: signals.events_recorded.send_robust(sender=GrantEvent, events=payloads)
        )
