"""Events: what was done, when, by whom and why. Append-only."""

import getpass
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn, Self, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db.ids import uuid7
from ..db.primary import PrimaryQuerySet

try:
    import pwd
except ImportError:  # not on Windows
    pwd = None  # type: ignore[assignment]


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
    SERVICE_CREATED = "service_created", _("Service created")
    SERVICE_DELETED = "service_deleted", _("Service deleted")
    MEMBER_ADDED = "member_added", _("Member added")
    MEMBER_REMOVED = "member_removed", _("Member removed")
    SETTINGS_CHANGED = "settings_changed", _("Settings changed")
    CLIENT_CREATED = "client_created", _("Client created")
    CLIENT_CHANGED = "client_changed", _("Client changed")
    CLIENT_DELETED = "client_deleted", _("Client deleted")
    TOKEN_CHANGED = "token_changed", _("Access token changed")
    JOB_STARTED = "job_started", _("Revoke by filter started")
    JOB_PAUSED = "job_paused", _("Revoke by filter paused")
    JOB_RESUMED = "job_resumed", _("Revoke by filter resumed")
    JOB_FINISHED = "job_finished", _("Revoke by filter finished")


class ActorKind(models.TextChoices):
    """The kinds of actors."""

    CLIENT = "client", _("client")
    OPERATOR = "operator", _("operator")
    API_TOKEN = "api_token", _("API token")
    SUBJECT = "subject", _("subject")
    COMMAND = "command", _("command")
    SYSTEM = "system", _("system")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an operator did it: a reason from a list, a note in words, and a ticket's number."""

    reason: str
    note: str = ""
    ticket: str = ""


NO_REASON: Final = Reason("")
"""For changes that are made without asking for a reason."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who made a change, as text: an event outlives the users of the host's project.

    `id` tells actors of the same name apart: an API token's `tokenId`, an operator's primary key,
    the operating system's user of a command. `sudo_user` is the user who ran a command by sudo.
    """

    kind: ActorKind
    name: str
    id: str = ""
    sudo_user: str = ""

    @classmethod
    def client(cls, client_id: str) -> "Actor":
        """An OAuth client."""
        return cls(ActorKind.CLIENT, client_id)

    @classmethod
    def operator(cls, username: str, key: Any = "") -> "Actor":
        """A user of the admin, and the primary key of that user."""
        return cls(ActorKind.OPERATOR, username, str(key))

    @classmethod
    def api_token(cls, token: Any) -> "Actor":
        """A caller of the API: an `ApiToken`, by its prefix and its `tokenId`."""
        return cls(ActorKind.API_TOKEN, token.prefix or token.digest_prefix, str(token.pk))

    @classmethod
    def command(cls, name: str) -> "Actor":
        """A command, and the operating system's user who runs it."""
        return cls(ActorKind.COMMAND, name, _system_user(), _sudo_user())


def _system_user() -> str:
    """The process's effective user: the name, or the number if there is no name (in containers).

    It comes from the kernel, since an environment variable can be set to any user's name.
    """
    if pwd is None:
        return getpass.getuser()
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _sudo_user() -> str:
    """The user who called sudo; only a hint, since the caller of a command can set the variable.

    Bytes that are not text are replaced.
    """
    return os.environ.get("SUDO_USER", "").encode(errors="replace").decode()[:255]


E = TypeVar("E", bound="Event")


class EventQuerySet(PrimaryQuerySet[E]):
    """Events can be added and read; only retention deletes them."""

    def purge_oldest(self, before: datetime, batch_size: int) -> int:
        """Delete the oldest events before a moment, at most `batch_size`; how many were deleted.

        Retention is the only way to delete events.
        """
        keys = list(
            self.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:batch_size]
        )
        # Past this class's own `delete`, which refuses. By the keys alone: SQLite would take an
        # index of the service for better, and read all of its events for each batch.
        return models.QuerySet.delete(self.model._default_manager.filter(pk__in=keys))[0]

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

    id = models.UUIDField(primary_key=True, default=uuid7)
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
        return f"{self.get_kind_display()} ({self.at:%Y-%m-%d %H:%M:%S} UTC)"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the event. TypeError: it was saved before."""
        if not self._state.adding:
            raise TypeError("Events are append-only.")
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """TypeError: events are append-only."""
        raise TypeError("Events are append-only.")

    @classmethod
    def about(cls, kind: EventKind, at: datetime, actor: Actor, **fields: Any) -> Self:
        """An unsaved event. Its key has the time `at`, since daily counts select events by key."""
        fields.setdefault("id", uuid7(at))
        by = {"actor_kind": actor.kind, "actor": actor.name[:255], "actor_id": actor.id[:255]}
        if actor.sudo_user:
            fields["details"] = {**fields.get("details", {}), "sudo_user": actor.sudo_user}
        return cls(kind=kind, at=at, **by, **fields)


class GrantEventQuerySet(EventQuerySet["GrantEvent"]):
    """The events of services."""

    def record(
        self, kind: EventKind, service_id: int, at: datetime, actor: Actor, **fields: Any
    ) -> "GrantEvent":
        """Add the event of a change, in the transaction of that change."""
        event = GrantEvent.about(kind, at, actor, service_id=service_id, **fields)
        event.save()
        return event


class GrantEvent(Event):
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
        ]
