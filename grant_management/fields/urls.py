"""Members that are URLs."""

import re
from dataclasses import dataclass
from typing import Any, Final

from ..protocol import uris
from .field import Field
from .words import rule as _


@dataclass(frozen=True)
class Endpoint(Field):
    """An http(s) URL that grant IDs can be appended to, or ""."""

    longest: int = 2_000

    @property
    def sentence(self) -> str:
        """The rule, with the greatest length."""
        return _(
            "must be an absolute http or https URL without query or fragment,"
            " of at most %(most)s characters, or empty",
            most=self.longest,
        )

    def read(self, value: Any) -> str:
        """The URL, unchanged."""
        if not isinstance(value, str) or len(value) > self.longest:
            raise self.refused()
        if value and not (uris.is_endpoint(value) and _has_normal_form(value)):
            raise self.refused()
        return value


def _has_normal_form(uri: str) -> bool:
    try:
        uris.normalise(uri)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class WebhookUrl(Field):
    """An https URL that webhooks are sent to."""

    longest: int = 2_000

    @property
    def sentence(self) -> str:
        """The rule, with the greatest length."""
        return _(
            "must be an absolute https URL without user information and fragment,"
            " of at most %(most)s characters",
            most=self.longest,
        )

    def read(self, value: Any) -> str:
        """The URL, unchanged. Where its name leads is judged at each attempt, not here."""
        if not isinstance(value, str) or len(value) > self.longest:
            raise self.refused()
        found = _WEBHOOK_URL.fullmatch(value)
        if not found or not 0 < int(found["port"] or 443) < 65_536 or not _has_normal_form(value):
            raise self.refused()
        return value


_WEBHOOK_URL: Final = re.compile(
    r"https://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?:/[!$-;=@-Z_a-z~%]*)?(?:\?[!$-;=?-Z_a-z~%]*)?"
)
