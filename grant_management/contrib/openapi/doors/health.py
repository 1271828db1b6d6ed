"""Health, for load balancers."""

from typing import Final

from ....api import health
from ..said import Key, Said
from ..shapes import Shape
from .common import NAMES

LIVE: Final = Shape("Live", {"status": {"type": "string", "enum": ["live"]}})
READY: Final = Shape(
    "Ready",
    {
        "status": {"type": "string", "enum": ["ready"]},
        "lastPurge": {"type": ["string", "null"], "format": "date-time"},
    },
)
UNREADY: Final = Shape(
    "Unready", {"status": {"type": "string", "enum": ["unready"]}, "failing": NAMES}
)
SAID: Final[dict[Key, Said]] = {
    health.livez: Said("getLiveness", LIVE, summary="The process runs."),
    health.readyz: Said("getReadiness", READY, summary="Whether the server takes calls."),
}
