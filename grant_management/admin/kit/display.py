"""How every page shows times, IDs, states and JSON."""

import json
import math
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from ...db import clock
from ...models import GrantStatus, SweepStatus
from ...protocol import strict_json
from .markup import Around, safe
from .utc import NONE, exact, in_utc

ICONS: Final = {
    GrantStatus.ACTIVE: "●",
    GrantStatus.PENDING: "◔",
    GrantStatus.EXPIRED: "○",
    GrantStatus.REVOKED: "✕",
    GrantStatus.CUT_OFF: "✂",
    "superseded": "↻",
    SweepStatus.RUNNING: "▶",
    SweepStatus.PAUSED: "⏸",
    SweepStatus.STOPPED: "■",
    SweepStatus.DONE: "✓",
    "passed": "✓",
    "refused": "✕",
    "not needed": "○",
    "not reached": "…",
}


DEEPEST: Final = 20
"""The most spaces that a line of JSON is indented by."""


def time_tag(at: datetime | None) -> str:
    """A time relative to now, with the exact time in UTC as its title; None is a dash."""
    if at is None:
        return NONE
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        safe(in_utc(at)),
        safe(exact(at)),
        safe(_relative(at, clock.estimate())),
    )


def as_of(behind: float | None) -> str:
    """A sentence about rows of a replica, by the seconds that it may be behind; "": there is none,
    since they are of the primary.
    """
    if behind is None:
        return ""
    return ngettext(
        "Read from a replica, which may be %(n)s second behind.",
        "Read from a replica, which may be %(n)s seconds behind.",
        math.ceil(behind),
    ) % {"n": math.ceil(behind)}


def _relative(at: datetime, now: datetime) -> str:
    """The time in words. Django's `timesince` is not used: it is translated into languages that
    this app has no texts in, so a page would mix two languages.
    """
    seconds = int(abs((now - at).total_seconds()))
    for length, past, future in _UNITS:
        if seconds >= length:
            return str((future if at > now else past) % {"n": seconds // length})
    return _("in less than a minute") if at > now else _("just now")


_UNITS: Final = [
    (
        365 * 86_400,
        ngettext_lazy("%(n)s year ago", "%(n)s years ago", "n"),
        ngettext_lazy("in %(n)s year", "in %(n)s years", "n"),
    ),
    (
        30 * 86_400,
        ngettext_lazy("%(n)s month ago", "%(n)s months ago", "n"),
        ngettext_lazy("in %(n)s month", "in %(n)s months", "n"),
    ),
    (
        7 * 86_400,
        ngettext_lazy("%(n)s week ago", "%(n)s weeks ago", "n"),
        ngettext_lazy("in %(n)s week", "in %(n)s weeks", "n"),
    ),
    (
        86_400,
        ngettext_lazy("%(n)s day ago", "%(n)s days ago", "n"),
        ngettext_lazy("in %(n)s day", "in %(n)s days", "n"),
    ),
    (
        3_600,
        ngettext_lazy("%(n)s hour ago", "%(n)s hours ago", "n"),
        ngettext_lazy("in %(n)s hour", "in %(n)s hours", "n"),
    ),
    (
        60,
        ngettext_lazy("%(n)s minute ago", "%(n)s minutes ago", "n"),
        ngettext_lazy("in %(n)s minute", "in %(n)s minutes", "n"),
    ),
]
"""The length of a unit in seconds, and its words for the past and the future."""


def state(name: str, label: Any = "") -> SafeString:
    """A state as an icon and a word, so that nobody needs the colour.

    `name` selects icon and colour; the word is `label`, or else the label or name of the state.
    """
    css = str(name).replace(" ", "-").replace("_", "-")
    # Each use of a lazy text translates it.
    return _badge(css, ICONS.get(name, "•"), str(label) or str(getattr(name, "label", name)))


@lru_cache(maxsize=256, typed=True)
def _badge(css: str, icon: str, words: str) -> SafeString:
    """There are few states, and their words are the same in each row. (By type: HTML equals a text
    of the same letters.)
    """
    return format_html(
        '<span class="gm-state gm-{}"><span aria-hidden="true">{}</span> {}</span>',
        css,
        icon,
        words,
    )


def identifier(value: str | None, what: Any = "") -> str:
    """An ID, shortened in the middle, with a button that copies all of it; none is a dash.

    `what` says what the ID is of, in the name of the button.
    """
    if not value:
        return NONE
    return format_html(
        '<span class="gm-id"><code title="{}"><bdi>{}</bdi></code>{}</span>',
        safe(value),
        safe(shortened(value)),
        copy_button(value, what),
    )


def short_id(value: str) -> SafeString:
    """An ID for a link to its page: monospaced as every ID, and shortened as by `identifier`."""
    return format_html('<code title="{}">{}</code>', safe(value), safe(shortened(value)))


def shortened(value: str) -> str:
    """The value, or its beginning and its end where it is long."""
    return value if len(value) <= 17 else f"{value[:8]}…{value[-8:]}"


def copy_button(value: str, what: Any = "") -> SafeString:
    """A button that copies the value, hidden until the script that makes it work shows it.

    Its name says what it copies, so that the buttons of a page have different names.
    """
    copy = _("Copy")
    name = " ".join(one for one in (copy, str(what), shortened(value)) if one)
    return format_html(
        '<button type="button" class="gm-copy" data-copy="{}" aria-label="{}" hidden>{}</button>',
        safe(value),
        safe(name),
        safe(copy),
    )


def isolated(shown: Any) -> Any:
    """A text that may be long and written in any direction: it breaks anywhere, and the direction
    of its letters changes nothing around it. HTML is left as it is.
    """
    if hasattr(shown, "__html__"):
        return shown
    return _LONG.put(shown)


_LONG: Final = Around(format_html('<bdi class="{}">', "gm-long"), format_html("</{}>", "bdi"))


def in_english(text: str) -> SafeString:
    """A text as the API sends it, which no page translates: it is marked as English."""
    return format_html('<span lang="en">{}</span>', text)


def wire_name(name: str) -> SafeString:
    """A name as the API has it, which is the same in every language."""
    return format_html("<code>{}</code>", name)


def link(url: str, text: Any) -> SafeString:
    """A link as HTML; the URL and the text are escaped."""
    return format_html('<a href="{}">{}</a>', safe(url), safe(text))


def over(name: Any, below: str) -> SafeString:
    """A name, and its ID below it."""
    return format_html("{}<br><small>{}</small>", isolated(name), isolated(below))


def few(names: list[str], number: int = 3) -> str:
    """The first names, then how many more there are, such as `a b c +2`; none is a dash."""
    more = f" +{len(names) - number}" if len(names) > number else ""
    return " ".join(names[:number]) + more or NONE


def tree(value: Any) -> SafeString:
    """A JSON value as nested HTML lists; numbers as they were written."""
    if isinstance(value, dict):
        rows = ((name, tree(member)) for name, member in value.items())
        items = format_html_join("", "<li><b>{}</b> {}</li>", rows)
        return format_html('<ul class="gm-tree">{}</ul>', items)
    if isinstance(value, list):
        items = format_html_join("", "<li>{}</li>", ((tree(one),) for one in value))
        return format_html('<ul class="gm-tree">{}</ul>', items)
    text = value if isinstance(value, str) else strict_json.dumps(value)
    return format_html("<span>{}</span>", text)


def indented(value: Any) -> str:
    """A JSON value as indented text; numbers as they were written."""
    return _indented(value, "")


def _indented(value: Any, margin: str) -> str:
    """Lines are indented by `DEEPEST` spaces at most, or a small text could become a huge one."""
    inner = margin + "  " if len(margin) < DEEPEST else margin
    if isinstance(value, dict) and value:
        lines = [
            f"{inner}{json.dumps(name)}: {_indented(one, inner)}" for name, one in value.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{margin}}}"
    if isinstance(value, list) and value:
        lines = [inner + _indented(one, inner) for one in value]
        return "[\n" + ",\n".join(lines) + f"\n{margin}]"
    return strict_json.dumps(value)
