"""Periods that end now, by name: for filters of lists and for charts."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from .utc import named_zone
from .zone import midnight

LENGTHS: Final = {
    "1h": (_("Last hour"), timedelta(hours=1)),
    "24h": (_("Last 24 hours"), timedelta(hours=24)),
    "7d": (_("Last 7 days"), timedelta(days=7)),
    "30d": (_("Last 30 days"), timedelta(days=30)),
    "90d": (_("Last 90 days"), timedelta(days=90)),
}
"""The label and the length of each period."""
TODAY: Final = "today"
CHOICES: Final[list[tuple[str, Any]]] = [
    ("", _("Any time")),
    (TODAY, named_zone(_("Today (UTC)"))),
    *((name, label) for name, (label, _length) in LENGTHS.items()),
]
"""The choices of a filter."""


def beginning(period: str, now: datetime) -> datetime:
    """When the period began that ends now; today begins with the day in the operator's zone."""
    if period == TODAY:
        return midnight(now)
    return now - LENGTHS[period][1]
