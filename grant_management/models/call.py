"""The call log of a service that keeps one: limited in size, and without any credential."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db.ids import uuid7
from ..db.primary import PrimaryQuerySet
from ..db.service_row import OfService
from .service import Service

TRIMS_PER_LOG: Final = 10
"""A log is trimmed about this often while it fills once: at most it is about a tenth too long."""
ANONYMOUS_SHARE: Final = 10
"""Calls without a known client have one place in this many, and those that other calls leave free:
anybody can make them, and enough of them would push out the call that an operator looks for."""


class CallQuerySet(PrimaryQuerySet["Call"]):
    """The newest calls of each service."""

    def keep(self, call: "Call", size: int) -> None:
        """Add a call, and now and then trim the log to `size`: it gets about a tenth longer."""
        call.save(force_insert=True)
        # The key's lowest bits are random, so this needs neither a counter nor a count.
        if call.pk.int % max(1, size // TRIMS_PER_LOG) == 0:
            self.trim(call.service_id, size)

    def trim(self, service_id: int, size: int) -> int:
        """Delete the oldest calls; how many were deleted.

        The newest `size` calls of known clients stay, and as many of the newest others as there is
        room for, or their share (`ANONYMOUS_SHARE`) if that is more. `size` 0: no call stays.
        """
        rows = self.filter(service_id=service_id)
        known, anonymous = rows.exclude(client_id=""), rows.filter(client_id="")
        gone = known._keep_newest(size)
        share = max(1, size // ANONYMOUS_SHARE) if size else 0
        return gone + anonymous._keep_newest(max(share, size - known.count()))

    def _keep_newest(self, number: int) -> int:
        oldest = self.order_by("-pk").values_list("pk", flat=True)[number : number + 1].first()
        return 0 if oldest is None else self.filter(pk__lte=oldest).delete()[0]


class Call(OfService):
    """One call: the request, the result of each check, and the answer."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, db_index=False, verbose_name=_("service")
    )
    at = models.DateTimeField(_("at"))
    action = models.CharField(_("action"), max_length=10, blank=True, default="")
    code = models.CharField(_("code"), max_length=7)
    client_id = models.CharField(_("client ID"), max_length=255, blank=True, default="")
    grant_id = models.CharField(_("grant ID"), max_length=255, blank=True, default="")
    request_id = models.CharField(
        _("request ID"), max_length=128, blank=True, default="", db_default=""
    )
    answer = models.JSONField(_("answer"), default=dict)
    steps = models.JSONField(_("checks"), default=list)

    objects = CallQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        indexes = [
            models.Index(fields=["service", "-id"], name="gm_call_newest"),
            models.Index(fields=["service", "grant_id", "-id"], name="gm_call_grant"),
            # Those of a client, and those without a known client, which are trimmed by themselves.
            models.Index(fields=["service", "client_id", "-id"], name="gm_call_client"),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.at:%Y-%m-%d %H:%M:%S} UTC)"
