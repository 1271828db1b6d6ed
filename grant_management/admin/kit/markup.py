"""HTML of pieces that Django has made safe: a list has some two thousand of them, so each is made
once where it is the same in every row, and put before and after what is not.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString

_escape_text: Final = getattr(escape, "__wrapped__", escape)
"""Django's function, which asks first whether its argument is lazy: that takes most of its time."""


def safe(value: Any) -> SafeString:
    """The value as HTML: escaped, unless it is HTML already."""
    if type(value) is SafeString:
        return value
    # Most values are one of these two. What is neither may be lazy, or have HTML of its own.
    made: SafeString = _escape_text(value) if type(value) is str else conditional_escape(value)
    return made


def joined(pieces: Iterable[SafeString]) -> SafeString:
    """The pieces one after the other; one that is no HTML is escaped. (Added up one by one, they
    would be copied as often as there are pieces.)
    """
    html = list(pieces)
    return format_html("{}" * len(html), *html) if html else SafeString()


class Around(NamedTuple):
    """What stands before and after a value."""

    before: SafeString
    after: SafeString

    def put(self, value: Any) -> SafeString:
        """The value as HTML, between them."""
        return self.before + safe(value) + self.after
