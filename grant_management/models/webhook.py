"""Webhooks: where the events of a service are sent, and the keys that sign them."""

from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..db import clock, encryption, primary
from ..db.ids import uuid7
from ..protocol import standard_webhooks
from ..protocol.event_payload import TYPES
from ..protocol.uris import without_secrets
from . import publishing
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .receiver import Receiver, check_room
from .service import Service
from .webhook_key import WebhookKey

OVERLAP: Final = timedelta(days=1)
"""How long the key before the current one signs too, after a rotation."""


class WebhookQuerySet(primary.PrimaryQuerySet["Webhook"]):
    """The store of webhooks."""

    def register(
        self, service: Service, actor: Actor, *, signature: str, **fields: Any
    ) -> tuple["Webhook", str]:
        """A new webhook, and what its receiver verifies with; a secret is shown this once.

        Every event whose transaction ends after this one is told. CannotDecrypt: there are no
        `ENCRYPTION_KEYS`. TooManyReceivers: the service has `AT_MOST`.
        """
        with primary.atomic():
            now = publishing.begin(service)
            check_room(self.of(service))
            webhook = Webhook(service=service, created_at=now, **fields)
            webhook.save(force_insert=True)
            shown = webhook.add_key(signature, now)
            webhook.record(EventKind.WEBHOOK_CREATED, actor, NO_REASON, **webhook.told())
        return webhook, shown

    def of(self, service: Service) -> Self:
        """The webhooks of a service, the oldest first, without those that were deleted."""
        return self.filter(service=service, deleted_at=None).order_by("pk")

    def purge_deleted(self) -> int:
        """Delete the rows of deleted webhooks whose log is gone; how many."""
        rows = self.filter(deleted_at__isnull=False)
        keys = list(rows.filter(webhookdelivery=None).values_list("pk", flat=True)[:1_000])
        self.filter(pk__in=keys).delete()
        return len(keys)


class Webhook(Receiver):
    """An endpoint of a receiver: a URL, and the types of events that are sent there ([]: all).

    One that was deleted is hidden and disabled, and has no keys; the purge deletes its log, which
    may be long, and then its row.
    """

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    url = models.CharField(_("URL"), max_length=2_000)
    description = models.CharField(_("description"), max_length=255, blank=True, default="")
    event_types = models.JSONField(_("event types"), default=list, blank=True)
    created_at = models.DateTimeField(_("created"))
    disabled_at = models.DateTimeField(_("disabled"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        permissions = [("manage_webhook", "Can manage webhook")]
        indexes = [models.Index(fields=["service", "id"], name="gm_webhook_service")]

    def __str__(self) -> str:
        return self.description or str(self.pk)

    def wants(self, kind: str) -> bool:
        """Whether events of this kind are sent there."""
        return self.disabled_at is None and (
            not self.event_types or TYPES.get(kind) in self.event_types
        )

    def shown(self) -> dict[str, Any]:
        """Its properties, for those who may manage it."""
        return {
            "webhookId": str(self.pk),
            "url": self.url,
            "eventTypes": self.event_types,
            "description": self.description,
            "enabled": self.disabled_at is None,
        }

    def told(self) -> dict[str, Any]:
        """The same as events record them: the query of a URL may have a credential."""
        return self.shown() | {"url": without_secrets(self.url)}

    def change(self, actor: Actor, why: Reason = NO_REASON, **fields: Any) -> bool:
        """Change columns, or enable or disable it (`enabled`); False: nothing differs.

        Webhook.DoesNotExist: it was deleted.
        """
        with primary.atomic():
            held, now = self._held()
            if "enabled" in fields:
                fields["disabled_at"] = None if fields.pop("enabled") else held.disabled_at or now
            changed = {name: one for name, one in fields.items() if getattr(held, name) != one}
            if not changed:
                return False
            before = held.told()
            held.become(changed | {"failures": 0, "paused_until": None})
            kind = EventKind.WEBHOOK_CHANGED
            about: dict[str, Any] = {"webhookId": str(self.pk)}
            about |= {"changed": ["url"]} if "url" in changed else {}
            held.record(kind, actor, why, **about, before=before, after=held.told())
        self.become(changed, save=False)
        return True

    def become(self, fields: dict[str, Any], *, save: bool = True) -> None:
        """Set columns; `save`: write them."""
        for name, value in fields.items():
            setattr(self, name, value)
        if save:
            self.save(update_fields=list(fields))

    def remove(self, actor: Actor, why: Reason = NO_REASON) -> bool:
        """Delete it and its keys, however long its log is; False: it is gone already."""
        with primary.atomic():
            try:
                held, now = self._held()
            except Webhook.DoesNotExist:
                return False
            held.record(EventKind.WEBHOOK_DELETED, actor, why, **held.told())
            held.become({"deleted_at": now, "disabled_at": held.disabled_at or now})
            WebhookKey.objects.filter(webhook=held).delete()
        return True

    def rotate(
        self, actor: Actor, why: Reason = NO_REASON, *, signature: str, overlap: timedelta = OVERLAP
    ) -> str:
        """A new key; what the receiver verifies with. The keys before it sign for `overlap` longer.

        Webhook.DoesNotExist: it is gone. CannotDecrypt: there are no `ENCRYPTION_KEYS`.
        """
        with primary.atomic():
            held, now = self._held()
            ends = now + overlap
            later = Q(expires_at=None) | Q(expires_at__gt=ends)
            WebhookKey.objects.filter(later, webhook=held).update(expires_at=ends)
            shown = held.add_key(signature, now)
            kind, details = EventKind.WEBHOOK_KEY_ROTATED, {"overlapEnds": ends.isoformat()}
            held.record(kind, actor, why, webhookId=str(self.pk), **details)
        return shown

    def add_key(self, kind: str, now: datetime) -> str:
        """Add a key of a kind, encrypted; what its receiver verifies with."""
        key = standard_webhooks.new_key()
        sealed = encryption.encrypt(key)
        WebhookKey.objects.create(webhook=self, kind=kind, sealed=sealed, created_at=now)
        return standard_webhooks.for_receiver(kind, key)

    def disable(self, actor: Actor) -> bool:
        """Disable it, since its receiver said that it is gone; False: it was disabled already, or
        its URL was changed since this object was read, so another receiver said it.
        """
        with primary.atomic():
            asked = {"pk": self.pk, "url": self.url, "disabled_at": None}
            rows = Webhook.objects.select_for_update().filter(**asked)
            held, now = rows.first(), clock.now()
            if held is None:
                return False
            held.become({"disabled_at": now})
            held.record(EventKind.WEBHOOK_DISABLED, actor, NO_REASON, webhookId=str(self.pk))
        return True

    def record(self, kind: EventKind, actor: Actor, why: Reason, **details: Any) -> GrantEvent:
        """Add an event about it, in the transaction of the change."""
        about: dict[str, Any] = {
            "details": details,
            "reason": why.reason,
            "note": why.note,
            "ticket": why.ticket,
        }
        return GrantEvent.objects.record(kind, self.service_id, clock.now(), actor, **about)

    def event_fields(self) -> dict[str, Any]:
        """The lookups by which its events are found."""
        return {"service_id": self.service_id, "details__webhookId": str(self.pk)}

    def _held(self) -> tuple["Webhook", datetime]:
        rows = Webhook.objects.select_for_update().filter(deleted_at=None)
        return rows.get(pk=self.pk), clock.now()
