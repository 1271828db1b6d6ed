"""A service's page: its settings in groups, its nonces, and how to point an SDK at it."""

from collections.abc import Iterator
from typing import Any, Final

from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..db.counting import bounded_count, shown_number
from ..models import Client, DPoPNonce, EventKind, GrantEvent, Service
from .kit.display import identifier, wire_name
from .kit.utc import exact_tag
from .related import may_view

GROUPS: Final[list[tuple[Any, tuple[str, ...]]]] = [
    (_("The service"), ("name", "grant_management_endpoint", "realm")),
    (
        _("Grants"),
        (
            "ownership",
            "revoke_access_tokens",
            "show_timestamps",
            "actions_supported",
            "action_required",
        ),
    ),
    (
        _("DPoP"),
        (
            "dpop_nonce_required",
            "dpop_nonce_duration",
            "dpop_signing_algs",
            "dpop_max_age",
            "dpop_clock_skew",
        ),
    ),
    (_("Tokens"), ("access_token_duration", "refresh_token_duration")),
    (_("Logging"), ("call_log_size", "track_last_used")),
    (_("Self-service"), ("self_service_origins",)),
]

SAID: Final = {
    "revoke_access_tokens": _("A revoke stops access tokens too; refresh tokens stop in any case.")
}
"""What a setting does, in place of the help of its column, which a migration has."""


def portrait(service: Service, request: HttpRequest) -> dict[str, Any]:
    """The template's context for the page of a service."""
    return {
        "service": service,
        "groups": [(title, [_setting(service, name) for name in names]) for title, names in GROUPS],
        "nonces": _nonces(service) if may_view(request, "dpopnonce") else None,
        "base": request.build_absolute_uri("/").rstrip("/"),
        "facts": list(_facts(service, request)),
    }


def _facts(service: Service, request: HttpRequest) -> Iterator[tuple[Any, Any]]:
    """The facts; without those that come from rows which the operator may not see."""
    yield _("Number"), identifier(str(service.pk))
    yield _("Organization"), service.organization
    if may_view(request, "client"):
        yield _("Clients"), _bounded_clients(service)
    yield _("Cut off"), exact_tag(service.not_before)
    if may_view(request, "grantevent"):
        yield _("Cut off by"), _cut_off_by(service)
    yield _("Deleted"), exact_tag(service.deleted_at)


def _setting(service: Service, name: str) -> dict[str, Any]:
    field: Any = Service._meta.get_field(name)
    value = getattr(service, name)
    shown: Any = value
    if isinstance(value, list):
        shown = format_html_join(", ", "{}", ((wire_name(one),) for one in value))
    elif isinstance(value, bool):
        shown = _("Yes") if value else _("No")
    display = getattr(service, f"get_{name}_display", None)
    return {
        "name": name,
        "value": display() if display else shown,
        "help": SAID.get(name, field.help_text),
    }


def _nonces(service: Service) -> list[dict[str, Any]]:
    """The current nonce and the previous one, each only where it was handed out."""
    now = clock.now()
    rows = DPoPNonce.objects.filter(service=service, expires_at__gt=now).order_by("-expires_at")[:2]
    span = service.dpop_nonce_duration
    return [
        {
            "nonce": row,
            "value": identifier(row.value),
            "which": _("current")
            if (now - row.not_before).total_seconds() < span
            else _("previous"),
            "expires": exact_tag(row.expires_at),
        }
        for row in rows
    ]


def _bounded_clients(service: Service) -> str:
    clients = Client.objects.filter(service=service).order_by("client_id")
    return shown_number(bounded_count(clients))


def _cut_off_by(service: Service) -> str:
    """The actor who moved the service's cut-off last; "" where no event tells.

    The event of a client's cut-off has a client ID, so an empty one means the service's own.
    """
    if service.not_before is None:
        return ""
    events = GrantEvent.objects.filter(service=service, kind=EventKind.CUT_OFF, client_id="")
    last = events.order_by("-at").first()
    return last.actor if last else ""
