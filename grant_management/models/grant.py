"""Grants: what a user allowed a client."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any, Final, Self
from uuid import UUID

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from .. import signals
from ..db import clock, primary
from ..db.ids import uuid7
from ..db.joined import JoinedQuery, Part
from ..db.of_service import ForeignKeyWithinService
from ..db.retry import retried
from ..db.service_row import OfService
from ..fields.members import MAX_GENERATION, MAX_INTEGER
from ..protocol import content, times, uris
from ..protocol.content import Content
from .client import Client
from .event import Actor, EventKind, GrantEvent, Reason, Told
from .last_used import LastUsed
from .service import Service
from .spared import Of, spared

CONTENT: Final = ("scopes", "claims", "authorization_details")
"""The columns with what a grant holds, which may be large."""


class GrantStatus(models.TextChoices):
    """Computed from the stamps of a grant, its client and its service; stored nowhere."""

    ACTIVE = "active", _("Active")
    PENDING = "pending", _("Pending")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")
    CUT_OFF = "cut_off", _("Cut off")


class UpdatedBy(models.TextChoices):
    """Who changed a grant last (draft §6.4)."""

    CLIENT = "client", _("client")
    AUTHORIZATION_SERVER = "authorization_server", _("authorization server")


def status_condition(status: GrantStatus, now: datetime, of: Of = None) -> Q:
    """The rule of `Grant.status` as a condition of a query; `of`: see `spared`."""
    kept = spared("created_at", of)
    there = Q(revoked_at=None) & kept
    alive = there & (Q(expires_at=None) | Q(expires_at__gt=now))
    return {
        GrantStatus.REVOKED: Q(revoked_at__isnull=False),
        GrantStatus.CUT_OFF: Q(revoked_at=None) & ~kept,
        GrantStatus.EXPIRED: there & Q(expires_at__lte=now),
        GrantStatus.PENDING: alive & Q(pending=True),
        GrantStatus.ACTIVE: alive & Q(pending=False),
    }[status]


WHOLE: Final = 8_192
"""Bytes of content, before and after a change together, up to which its event has all of it."""


class GrantQuerySet(primary.PrimaryQuerySet["Grant"]):
    """The store of grants."""

    def with_status(self, status: GrantStatus, now: datetime) -> Self:
        """The grants that have this status at that time."""
        return self.filter(status_condition(status, now))

    def with_content(self, *names: str) -> Self:
        """Load only these of the `CONTENT` columns; the others are deferred until they are read."""
        return self.defer(*(name for name in CONTENT if name not in names))

    def of_person(self, service: Service, subject: str) -> Self:
        """The grants that a person may know of: claimed ones, of clients that are not deleted.

        With their clients.
        """
        rows = self.filter(service=service, subject=subject, pending=False)
        return rows.filter(client__deleted_at=None).select_related("client")

    def revoke_all(
        self,
        service: Service,
        keys: list[Any],
        at: datetime | None,
        actor: Actor,
        why: Reason,
        *,
        job: UUID | None = None,
        still: Callable[["Grant"], bool] = lambda grant: True,
        reads: Iterable[str] = (),
    ) -> int:
        """Revoke grants in one transaction, by the rules of `Grant.revoke`; how many were revoked.

        They are locked in the order of their keys, and each is revoked if `still` holds of the
        locked grant; `reads` names the `CONTENT` columns that `still` needs. `at` is a cut-off:
        it is their `revoked_at`, and a detail of their events. None: `revoked_at` is the time of
        the revocation, which is the time of the events in either case.
        """
        with primary.atomic():
            rows = self.filter(service=service, pk__in=keys, revoked_at=None).order_by("pk")
            related = rows.select_related("service", "client")
            # `no_key`: an insert that refers to a grant does not wait for this lock.
            held = related.select_for_update(of=("self",), no_key=True)
            found = held.with_content(*reads).iterator(chunk_size=100)
            # Contents can be large: each is dropped from memory once `still` has seen it.
            grants = [grant.without_content() for grant in found if still(grant)]
            now = clock.now()  # after the locks: what they waited for came before
            if grants:  # its settings may have changed since the caller read them
                service = grants[0].service
            Grant.objects.filter(service=service, pk__in=[grant.pk for grant in grants]).update(
                revoked_at=at or now, **_raised(service)
            )
            details = {} if at is None else {"not_before": at.isoformat()}
            about = {"job": job, "details": details, **asdict(why)}
            events = [_revocation(grant, service, now, actor, about) for grant in grants]
            GrantEvent.objects.record_all(events)
            primary.on_commit(lambda: _tell(grants, events))
        return len(grants)

    def locked(self, service: Service, grant_id: str) -> tuple["Grant", datetime]:
        """The grant, locked in the caller's transaction, and the time. 1 query.

        Every decision about a grant is made under this lock. Its service and its client get a
        shared lock before it, as everywhere: a cut-off, or a revocation of all tokens of a client,
        locks them exclusively. Grant.DoesNotExist: the service has no such grant.
        """
        if not uris.is_grant_id(grant_id):
            raise Grant.DoesNotExist
        found = _locked().get(primary.alias(), [service.pk, grant_id])
        if found is None:
            raise Grant.DoesNotExist
        (grant, client, owner), now = found
        grant.know(owner, client)
        return grant, now

    def known(self, service: Service, grant_id: str) -> "Grant":
        """The grant of this ID in any status, with its client: 1 query.

        Grant.DoesNotExist: the service has no such grant.
        """
        if not uris.is_grant_id(grant_id):  # no grant can have it: spare the query
            raise Grant.DoesNotExist
        grant = self.select_related("client").get(service=service, grant_id=grant_id)
        grant.know(service, grant.client)
        return grant


@cache
def _locked() -> JoinedQuery:
    """A grant by its service and grant ID, with the service and the client, which have cut-offs."""
    return JoinedQuery(
        "FROM grant_management_grant AS held"
        " JOIN grant_management_client AS client"
        " ON client.id = held.client_id AND client.service_id = held.service_id"
        " JOIN grant_management_service AS owner ON owner.id = held.service_id"
        " WHERE held.service_id = %s AND held.grant_id = %s",
        Part(Grant, "held"),
        Part(Client, "client", repeats=True),
        Part(Service, "owner", repeats=True),
        lock="FOR KEY SHARE OF owner, client FOR NO KEY UPDATE OF held",
    )


class Grant(OfService, LastUsed):
    """What a client may do: scopes with resources, claims and authorization details as JSON text.

    "" is none. A token has the generation of its grant at its issue, and dies once they differ.
    """

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    client = ForeignKeyWithinService(
        Client, on_delete=models.PROTECT, db_index=False, verbose_name=_("client")
    )
    grant_id = models.CharField(_("grant ID"), max_length=255)
    subject = models.CharField(_("subject"), max_length=255, null=True, blank=True)
    scopes = models.TextField(_("scopes"), blank=True, default="")
    claims = models.TextField(_("claims"), blank=True, default="")
    authorization_details = models.TextField(_("authorization details"), blank=True, default="")
    created_at = models.DateTimeField(_("created"))
    last_updated_at = models.DateTimeField(_("last updated"), null=True, blank=True)
    updated_by = models.CharField(
        _("updated by"), max_length=20, blank=True, default="", choices=UpdatedBy.choices
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    pending = models.BooleanField(_("pending"), default=False)
    access_generation = models.PositiveIntegerField(default=0)
    refresh_generation = models.PositiveIntegerField(default=0)

    objects = GrantQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        permissions = [("revoke_grant", "Can revoke grant")]
        constraints = [
            models.UniqueConstraint(fields=["service", "grant_id"], name="gm_grant_unique")
        ]
        indexes = [
            # Every query names the service, so every index begins with it, and foreign keys have
            # no index of their own (`db_index=False`).
            models.Index(fields=["service", "subject", "-created_at"], name="gm_grant_subject"),
            models.Index(fields=["service", "client", "-created_at"], name="gm_grant_client"),
            models.Index(fields=["service", "-created_at", "-id"], name="gm_grant_newest"),
            models.Index(
                fields=["service", "expires_at"],
                name="gm_grant_expires",
                condition=Q(revoked_at=None, expires_at__isnull=False),
            ),
            models.Index(
                fields=["service", "created_at"],
                name="gm_grant_pending",
                condition=Q(pending=True),
            ),
        ]

    def __str__(self) -> str:
        return self.grant_id

    def without_content(self) -> "Grant":
        """The same grant without its `CONTENT` columns, which are loaded when they are read."""
        for name in CONTENT:
            self.__dict__.pop(name, None)
        return self

    def know(self, service: Service, client: Client) -> None:
        """Cache the rows that were loaded with it, as the descriptors of foreign keys do."""
        client._state.fields_cache = {"service": service}
        self._state.fields_cache = {"service": service, "client": client}

    def status(self, now: datetime) -> GrantStatus:
        """The status at that time: the first that applies of revoked, cut off, expired, pending.

        A grant to which none of them applies is active.
        """
        if self.revoked_at is not None:
            return GrantStatus.REVOKED
        if self.is_cut_off():
            return GrantStatus.CUT_OFF
        if self.is_expired(now):
            return GrantStatus.EXPIRED
        return GrantStatus.PENDING if self.pending else GrantStatus.ACTIVE

    def scope_names(self) -> set[str]:
        """The names of its scopes, for any resource."""
        return content.names_of(self.scopes)

    def authorization_types(self) -> set[str]:
        """The types of its authorization details (RFC 9396 §2)."""
        return content.types_of(self.authorization_details)

    def is_owned_by(self, client: Client, subject: str | None) -> bool:
        """Whether it is this client's and this subject's."""
        return self.client_id == client.pk and self.subject == subject

    def is_expired(self, now: datetime) -> bool:
        """Whether its `expires_at` has passed."""
        return self.expires_at is not None and self.expires_at <= now

    def is_cut_off(self) -> bool:
        """Whether it was created before the cut-off of its service or its client."""
        return self.is_before(self.service.latest_cut_off(self.client))

    def is_before(self, cut_off: datetime | None) -> bool:
        """Whether it was created strictly before the cut-off; None: there is none."""
        return cut_off is not None and self.created_at < cut_off

    def content(self) -> str:
        """The JSON text that a QUERY shows (draft §6.4)."""
        shown = {
            "scopes": self.scopes,
            "claims": self.claims,
            "authorization_details": self.authorization_details,
        }
        if self.service.show_timestamps:
            shown |= self._timestamps()
        return content.shown(shown)

    def held(self) -> Content:
        """What it holds, in the form that can be compared and merged."""
        return Content.stored(self.scopes, self.claims, self.authorization_details)

    def _timestamps(self) -> dict[str, str]:
        moments = {
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "last_updated_at": self.last_updated_at,
        }
        shown = {name: str(times.to_seconds(at)) for name, at in moments.items() if at}
        return shown | ({"updated_by": f'"{self.updated_by}"'} if self.updated_by else {})

    def change(
        self, to: Content, kind: EventKind, at: datetime, actor: Actor, **fields: Any
    ) -> None:
        """Replace what it holds, and add the event of the change. `fields` are further columns.

        The caller has locked the grant. Its earlier refresh tokens are invalidated (draft §5.2),
        and on replace its access tokens too.
        """
        before, held = self.content(), self.held()
        self.refresh_generation = following(self.refresh_generation)
        if kind is EventKind.REPLACED:
            self.access_generation = following(self.access_generation)
        changed = {**to.texts(), **fields, "last_updated_at": at}
        for name, value in changed.items():
            setattr(self, name, value)
        self.save(update_fields=[*changed, "access_generation", "refresh_generation"])
        self.announce_deaths(at, access=kind is EventKind.REPLACED)
        self.record(kind, at, actor, details=_difference(before, self.content(), held, to))

    @retried
    def revoke(
        self,
        actor: Actor,
        why: Reason,
        judge: Callable[["Grant", datetime], None] = lambda grant, now: None,
        *,
        told: Told | None = None,
        job: UUID | None = None,
        begins: bool = False,
    ) -> bool:
        """Revoke the grant. Returns whether this call did: of concurrent calls exactly one does.

        Its refresh tokens die with it, and its access tokens too if the service has
        `revoke_access_tokens` (draft §6.5). They die by generation, so the cost is the same for one
        token and for a million. `judge` is called with the locked grant and the time, and may raise
        to refuse the revocation. `told` are the details of the event. `job` is in the events of all
        grants that one act revokes; the first of them, which `begins` it, has it as its key.
        """
        with primary.atomic():
            try:
                held, now = Grant.objects.locked(self.service, self.grant_id)
            except Grant.DoesNotExist:  # never claimed, and purged
                return False
            judge(held, now)
            if held.revoked_at is not None:
                return False
            event = {"job": job, "details": dict(told or {})} | ({"id": job} if begins else {})
            held._revoke(now, actor, why, event)
        return True

    def _revoke(self, now: datetime, actor: Actor, why: Reason, told: dict[str, Any]) -> None:
        self.its_row().update(revoked_at=now, **_raised(self.service))
        self.announce_deaths(now, access=self.service.revoke_access_tokens)
        event = self.record(EventKind.REVOKED, now, actor, **told, **asdict(why))
        primary.on_commit(lambda: _tell([self], [event]))

    def kill_refresh_tokens(self, now: datetime, actor: Actor) -> None:
        """Invalidate all refresh tokens, since a rotated one was used again.

        The grant and its access tokens stay active. The caller has locked the grant.
        """
        self.its_row().update(refresh_generation=_one_more("refresh_generation"))
        self.announce_deaths(now, access=False)
        self.record(EventKind.REFRESH_REUSED, now, actor)

    def announce_deaths(self, at: datetime, *, access: bool) -> None:
        """Send `tokens_dying` in this transaction: refresh tokens die; `access`: all tokens."""
        signals.tokens_dying.send(sender=Grant, grant=self, at=at, access=access, refresh=True)

    def record(self, kind: EventKind, at: datetime, actor: Actor, **fields: Any) -> GrantEvent:
        """Add an event about this grant, in the transaction of the change.

        The caller has locked the grant or, if it is new, its client; and the service with it.
        """
        about = {**self.event_fields(), "client_id": self.client.client_id, **fields}
        about["is_told"] = self.service.publishes_events
        return GrantEvent.objects.record(kind, at=at, actor=actor, subject=self.subject, **about)

    def event_fields(self) -> dict[str, Any]:
        """The columns by which its events are found."""
        return {"service_id": self.service_id, "grant_id": self.grant_id}


def _raised(service: Service) -> dict[str, Any]:
    """The columns that a revoke raises (draft §6.5)."""
    raised: dict[str, Any] = {"refresh_generation": _one_more("refresh_generation")}
    if service.revoke_access_tokens:
        raised["access_generation"] = _one_more("access_generation")
    return raised


def following(generation: int) -> int:
    """The generation after this one.

    The last one that a column can hold is followed by the first one that no imported record may
    have, so that a grant with the last one can still be revoked.
    """
    return generation + 1 if generation < MAX_INTEGER else MAX_GENERATION + 1


def _one_more(column: str) -> Case:
    """`following` as an SQL expression."""
    below = When(**{f"{column}__lt": MAX_INTEGER}, then=F(column) + 1)
    return Case(below, default=Value(MAX_GENERATION + 1))


def _difference(before: str, after: str, held: Content, to: Content) -> dict[str, str]:
    """The details of a change's event: both contents, or only the differences if they are long.

    So the size of an event depends on what was sent, not on the size of the grant.
    """
    if len(before) + len(after) <= WHOLE:
        return {"before": before, "after": after}
    return {"added": to.without(held).text(), "removed": held.without(to).text()}


def _revocation(
    grant: Grant, service: Service, at: datetime, actor: Actor, about: dict[str, Any]
) -> GrantEvent:
    """The unsaved event of one grant of a batch; sends `tokens_dying` for that grant."""
    grant.know(service, grant.client)
    grant.announce_deaths(at, access=service.revoke_access_tokens)
    return GrantEvent.about(
        EventKind.REVOKED,
        at,
        actor,
        subject=grant.subject,
        **grant.event_fields(),
        client_id=grant.client.client_id,
        **about,
    )


def _tell(grants: "list[Grant]", events: list[GrantEvent]) -> None:
    """Send `grant_revoked`, once for a whole batch."""
    if grants:
        signals.grant_revoked.send_robust(sender=Grant, grants=grants, events=events)
