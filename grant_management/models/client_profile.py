"""Profiles of clients: what people are told of an application."""

import hashlib
from dataclasses import asdict
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.of_service import OneToOneWithinService
from ..db.service_row import OfService
from .client import Client
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .logo import Logo
from .service import Service


class ClientProfileManager(primary.PrimaryManager["ClientProfile"]):
    """The store of profiles."""

    def put(
        self,
        client: Client,
        actor: Actor,
        why: Reason = NO_REASON,
        *,
        texts: list[dict[str, str]] | None = None,
        logo: bytes | None = None,
    ) -> "ClientProfile":
        """Create or change a client's profile and logo, with one event if anything differs.

        None leaves a part as it is. `logo` is as `protocol.logos` encodes it; b"" deletes the logo.
        Client.DoesNotExist: the client was deleted.
        """
        with primary.atomic():
            held = Client.objects.select_for_update(no_key=True)
            held.get(pk=client.pk, service=client.service_id, deleted_at=None)
            profile = self.of(client)
            before = profile.shown()
            profile.become(texts, logo)
            profile.record_change(before, actor, why)
        return profile

    def of(self, client: Client) -> "ClientProfile":
        """The profile of a client; one without texts where it has none. 2 queries."""
        new = ClientProfile(client=client, service_id=client.service_id)
        profile = self.filter(service=client.service_id, pk=client.pk).first() or new
        profile.client = client
        logos = Logo.objects.filter(service=client.service_id, pk=client.pk)
        logo = logos.values_list("digest", flat=True).first()
        profile.logo_digest = bytes(logo).hex() if logo else ""
        return profile


class ClientProfile(OfService):
    """What people are told of a client.

    `texts` are `{"language","name","site","contact","terms"}`, each part where it is known; the
    first is for readers of other languages. `logo_digest` is set by the manager; "": no logo.
    """

    client = OneToOneWithinService(
        Client,
        on_delete=models.PROTECT,
        primary_key=True,
        db_index=False,
        verbose_name=_("client"),
    )
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    texts = models.JSONField(_("texts"), default=list)

    logo_digest = ""
    objects = ClientProfileManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("client's profile")
        verbose_name_plural = _("clients' profiles")
        indexes = [models.Index(fields=["service", "client"], name="gm_profile_service")]

    def __str__(self) -> str:
        return str(self.client)

    def shown(self) -> dict[str, Any]:
        """The properties that callers and operators can change, as events record them."""
        return {"texts": self.texts, "logo": self.logo_digest}

    def become(self, texts: list[dict[str, str]] | None, logo: bytes | None) -> None:
        """Write what differs; None leaves a part as it is. The caller has locked the client."""
        if texts is not None and texts != self.texts:
            self.texts = texts
            self.save()
        if logo is None:
            return
        digest = hashlib.sha256(logo).hexdigest() if logo else ""
        if digest == self.logo_digest:
            return
        self.logo_digest = digest
        rows = Logo.objects.filter(service=self.service_id, pk=self.pk)
        if not logo:
            rows.delete()
            return
        values = {"digest": bytes.fromhex(digest), "content": logo}
        Logo.objects.update_or_create(pk=self.pk, service_id=self.service_id, defaults=values)

    def record_change(self, before: dict[str, Any], actor: Actor, why: Reason) -> None:
        """Add one event for everything that changed since `before`."""
        after = self.shown()
        names = [name for name in after if after[name] != before[name]]
        if not names:
            return
        details = {
            "number": self.client.pk,
            "before": {name: before[name] for name in names},
            "after": {name: after[name] for name in names},
        }
        fields = self.client.event_fields() | asdict(why)
        kind, now = EventKind.CLIENT_CHANGED, clock.now()
        GrantEvent.objects.record(kind, at=now, actor=actor, details=details, **fields)
