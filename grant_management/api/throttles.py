"""How many calls an API token may make."""

from typing import Any

from rest_framework.throttling import SimpleRateThrottle

from ..conf import app_settings


class ApiTokenThrottle(SimpleRateThrottle):
    """Counts the calls of each API token in the host's default cache.

    A cache that processes do not share counts for each process on its own.
    """

    def get_rate(self) -> str | None:
        """From `GRANT_MANAGEMENT["THROTTLE_RATE"]`; None: unlimited."""
        return app_settings.throttle_rate

    def get_cache_key(self, request: Any, view: Any) -> str:
        """Of the API token, not of an address: callers stand behind proxies."""
        return f"grant_management.throttle.{request.auth.pk}"
