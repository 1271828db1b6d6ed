"""Signals for the host project, sent after commit; a failing receiver harms nobody."""

from typing import TYPE_CHECKING

from django.dispatch import Signal

if TYPE_CHECKING:
    from .models import Grant, GrantEvent

grant_revoked = Signal()
"""Sent with `sender=Grant`, `grants` (a list of Grant) and `events` (a list of GrantEvent)."""


def announce_revocation(grant: "Grant", event: "GrantEvent") -> None:
    """Tell the host that a grant is dead."""
    grant_revoked.send_robust(sender=type(grant), grants=[grant], events=[event])
