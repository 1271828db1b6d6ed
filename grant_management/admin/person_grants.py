"""The grants of one person, by client: what each holds, and which of them can be revoked."""

from itertools import groupby
from typing import Any, Final

from django.db.models import Q
from django.http import HttpRequest

from ..db import clock
from ..models import Grant, GrantStatus
from ..models.grant import status_condition
from .in_words import held_by
from .kit import content
from .kit.display import state, time_tag
from .related import may_view, page_url, row_url_of

LIVE: Final = (GrantStatus.ACTIVE, GrantStatus.PENDING)
"""The statuses of the grants that a person can lose."""


def by_client(grants: list[Any], request: HttpRequest) -> list[dict[str, Any]]:
    """Groups for the template: a client with its service and its grants, the newest first. Clients
    with a live grant come before the others.

    The grants were read with their client, their service, and the annotations of `content.listed`.
    """
    ordered = sorted(grants, key=lambda grant: (str(grant.service), str(grant.client)))
    held, sees_client = held_by(grants), may_view(request, "client")
    url_of, person_url_of = (row_url_of(request, name) for name in ("grant_change", "grant_person"))
    groups = groupby(ordered, key=lambda grant: (grant.service, grant.client))
    shown = [
        {
            "service": service,
            "client": client,
            "url": page_url(request, "client_change", client.pk) if sees_client else "",
            "grants": [
                {
                    **_shown(grant),
                    "url": url_of(grant.pk),
                    "person_url": person_url_of(grant.pk) if grant.subject else "",
                    "held": held[grant.pk],
                }
                for grant in own
            ],
        }
        for (service, client), own in groups
    ]
    return sorted(shown, key=lambda one: not any(grant["is_live"] for grant in one["grants"]))


def _shown(grant: Any) -> dict[str, Any]:
    status = grant.status(clock.estimate())
    return {
        "key": str(grant.pk),
        "name": grant.grant_id,
        "subject": grant.subject,
        "status": state(status, status.label),
        "created": time_tag(grant.created_at),
        "used": time_tag(grant.last_used_at),
        "expires": time_tag(grant.expires_at),
        "is_live": status in LIVE,
    }


def to_person(rows: Any) -> Any:
    """The rows with what `by_client` needs, and without the grants' content."""
    return rows.select_related("service", "client").annotate(**content.listed())


def living() -> Q:
    """The condition that a grant is `LIVE` now."""
    now = clock.now()
    active, pending = (status_condition(status, now) for status in LIVE)
    return active | pending


def owned_by(grants: Any, key: Any) -> Grant | None:
    """The grant with this key, where it has a subject; None: it leads to no person."""
    found: Grant | None = grants.filter(pk=key).exclude(subject=None).first()
    return found
