"""Streams of Shared Signals: who gets them, how, what waits, and the keys that sign."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..models import Actor, EventKind, Reason, SigningKey, Stream, StreamDelivery, StreamStatus
from .kit import list_table
from .kit.actions import ObjectAction, Text
from .kit.display import state, time_tag
from .kit.receiver_url import ReceiverAdmin
from .kit.short_filters import PeriodFilter, ServiceFilter, StateFilter
from .kit.short_list import ShortListAdmin
from .kit.utc import exact

_STATES: Final = {
    StreamStatus.ENABLED: ("active", _("Enabled")),
    StreamStatus.PAUSED: ("pending", _("Paused")),
    StreamStatus.DISABLED: ("revoked", _("Disabled")),
}


def _in_status(status: StreamStatus, now: datetime) -> Q:
    return Q(status=status)


def _set(status: StreamStatus, stream: Stream, actor: Actor, why: Reason) -> bool:
    """Set the status; the receiver is told, since it did not ask for it (SSF §8.1.5)."""
    return StreamDelivery.objects.set_status(stream, status, "", actor, why, is_told=True)


def _action(name: str, label: Text, status: StreamStatus, said: Text) -> ObjectAction:
    def describe(stream: Stream) -> Iterable[Text]:
        return [said, _("Its receiver is told.")]

    return ObjectAction(
        name=name,
        permission="manage_stream",
        label=label,
        kind=EventKind.STREAM_CHANGED,
        applies=lambda stream: stream.status != status,
        describe=describe,
        perform=partial(_set, status),
    )


ACTIONS: Final = (
    _action("pause", _("Pause"), StreamStatus.PAUSED, _("Events are held until it is enabled.")),
    _action(
        "enable", _("Enable"), StreamStatus.ENABLED, _("The events that are held are delivered.")
    ),
    _action(
        "disable",
        _("Disable"),
        StreamStatus.DISABLED,
        _("The events that wait are dropped for good."),
    ),
)


class StreamStateFilter(StateFilter):
    """By status."""

    states = {
        status.value: (label, partial(_in_status, status))
        for status, (_css, label) in _STATES.items()
    }


@admin.register(Stream)
class StreamAdmin(ShortListAdmin[Stream], ReceiverAdmin[Stream]):
    """Streams, without what authorises calls of their receivers."""

    object_actions = ACTIONS
    manage_permission = "grant_management.manage_stream"
    list_display = ("name", "service", "method", "condition", "created")
    list_select_related = ("service", "api_token")
    list_filter = (ServiceFilter, StreamStateFilter, PeriodFilter)
    file_name = "streams"
    exported = {
        "name": list_table.fields("id", "description"),
        "service": list_table.fields("service_id"),
        "method": list_table.fields("method"),
        "condition": list_table.fields("status"),
        "created": list_table.fields("created_at"),
    }
    ordering = ("-pk",)
    fields = (
        "service",
        "api_token",
        "method",
        "url",
        "description",
        "status",
        "reason",
        "requested",
        "waiting",
        "created_at",
        "verified_at",
        "failures",
        "keys",
    )
    readonly_fields = ("requested", "waiting", "keys")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Stream]":
        """Without those that were deleted."""
        return super().get_queryset(request).filter(deleted_at=None)

    @admin.display(description=_("stream"))
    def name(self, stream: Stream) -> str:
        """Its description, or its ID: the URL is on its page alone."""
        return str(stream)

    @admin.display(description=_("status"))
    def condition(self, stream: Stream) -> Any:
        """Enabled, paused or disabled, as an icon and a word."""
        return state(*_STATES[StreamStatus(stream.status)])

    @admin.display(description=_("waiting"))
    def waiting(self, stream: Stream) -> str:
        """How many of its SETs nobody has confirmed; "1000+" where these are more."""
        rows = StreamDelivery.objects.filter(stream=stream, due_at__isnull=False)
        number = len(rows.values_list("pk", flat=True)[:1_001])
        return "1000+" if number > 1_000 else str(number)

    @admin.display(description=_("created"))
    def created(self, stream: Stream) -> str:
        """When its receiver created it."""
        return time_tag(stream.created_at)

    @admin.display(description=_("events requested"))
    def requested(self, stream: Stream) -> Any:
        """The types of events that it gets, each on a line."""
        return format_html_join("", "<div>{}</div>", ((one,) for one in stream.delivered))

    @admin.display(description=_("signing keys"))
    def keys(self, stream: Stream) -> Any:
        """The published keys of its service: the first one signs, the others end."""
        rows = SigningKey.objects.published(stream.service_id, clock.now())
        return format_html_join(
            "",
            "<div>{} ({}; {})</div>",
            ((one.kid, exact(one.created_at), _end_of(one)) for one in rows),
        )


def _end_of(key: SigningKey) -> Text:
    if key.expires_at is None:
        return _("signs")
    return _("published until %(end)s") % {"end": exact(key.expires_at)}
