"""The limit on the calls of an API token."""

from typing import Any

from rest_framework.throttling import SimpleRateThrottle

from ..conf import app_settings


class ApiTokenThrottle(SimpleRateThrottle):
    """Counts the calls of each API token in the host's default cache.

    Where processes do not share that cache, each process counts on its own.
    """

    def get_rate(self) -> str | None:
        """The rate in `GRANT_MANAGEMENT["THROTTLE_RATE"]`, such as "100/s"; None: unlimited."""
        return app_settings.throttle_rate

    def get_cache_key(self, request: Any, view: Any) -> str:
        """A key for the API token. An address would not do: callers share proxies."""
        return f"grant_management.throttle.{request.auth.pk}"
