"""Deliveries of webhooks: what was sent, each attempt, and the action that sends it again."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from ..models import EventKind, WebhookDelivery
from ..models.webhook_attempt import Outcome
from .kit import list_table
from .kit.actions import ObjectAction, OperatorAdmin, Text
from .kit.display import identifier, state, time_tag
from .kit.short_filters import PeriodFilter, StateFilter
from .kit.short_list import ShortListAdmin
from .kit.utc import exact

_STATES = {
    "delivered": ("passed", _("Delivered")),
    "dead": ("refused", _("Given up")),
    "pending": ("pending", _("Pending")),
}


def _what_is_sent(delivery: WebhookDelivery) -> Iterable[Text]:
    yield _("The event is sent to %(webhook)s once more.") % {"webhook": delivery.webhook}


REPLAY = ObjectAction(
    name="replay",
    permission="manage_webhook",
    label=_("Send again"),
    kind=EventKind.WEBHOOK_REPLAYED,
    applies=lambda delivery: delivery.due_at is None,
    describe=_what_is_sent,
    perform=WebhookDelivery.replay,
)


class DeliveryStateFilter(StateFilter):
    """By what became of it."""

    states = {
        "delivered": (_("Delivered"), lambda now: Q(delivered_at__isnull=False)),
        "dead": (_("Given up"), lambda now: Q(delivered_at=None, dead_at__isnull=False)),
        "pending": (_("Pending"), lambda now: Q(delivered_at=None, dead_at=None)),
    }


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ShortListAdmin[WebhookDelivery], OperatorAdmin[WebhookDelivery]):
    """Deliveries, the newest first."""

    organization_path = "webhook__service__organization"
    object_actions = (REPLAY,)
    list_display = ("type", "webhook", "outcome", "grant", "attempts", "created")
    list_select_related = ("webhook",)
    ordering = ("-pk",)
    in_one_order = True
    list_filter = (DeliveryStateFilter, PeriodFilter)
    file_name = "webhook-deliveries"
    exported = {
        "type": list_table.fields("id", "type", "event"),
        "webhook": list_table.fields("webhook_id"),
        "outcome": list_table.fields("state"),
        "grant": list_table.fields("grant_id"),
        "attempts": list_table.fields("attempts"),
        "created": list_table.fields("created_at"),
    }
    filter_lookups = frozenset({"webhook__id__exact"})
    """That of the link on a webhook's page."""
    fields = (
        "webhook",
        "event",
        "type",
        "grant_id",
        "created_at",
        "due_at",
        "delivered_at",
        "dead_at",
        "log",
    )
    readonly_fields = ("log",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[WebhookDelivery]":
        """Without those of deleted webhooks."""
        return super().get_queryset(request).filter(webhook__deleted_at=None)

    @admin.display(description=_("status"))
    def outcome(self, delivery: WebhookDelivery) -> Any:
        """Delivered, given up or pending, as an icon and a word."""
        return state(*_STATES[delivery.state])

    @admin.display(description=_("grant"))
    def grant(self, delivery: WebhookDelivery) -> str:
        """The grant that it is about, or a dash."""
        return identifier(delivery.grant_id)

    @admin.display(description=_("created"))
    def created(self, delivery: WebhookDelivery) -> str:
        """When it was planned."""
        return time_tag(delivery.created_at)

    @admin.display(description=_("attempts"))
    def log(self, delivery: WebhookDelivery) -> Any:
        """Each attempt: when, how it ended, the status, and how long it took."""
        rows = delivery.log.order_by("pk")
        return format_html_join(
            "",
            "<div>{}: {} {} ({} ms)</div>",
            (
                (exact(one.at), Outcome(one.outcome).label, one.status or "", one.milliseconds)
                for one in rows
            ),
        )
