"""What grants allow, in plain words beside the scope or type, on the pages of operators."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Service
from ..models.description import Described, Sensitivity
from ..models.plain_words import Permission, PlainWords, rank, reader_languages
from .kit import content
from .kit.markup import Around, joined, safe
from .kit.utc import NONE

SHOWN: Final = 3
"""What a row shows of a grant at once."""
LISTED: Final = 20
"""What a row shows of it after a click, at most."""
LOOKED_UP: Final = 100
"""Scopes, and authorization types, of one grant whose descriptions a list looks up, at most."""
Permissions = list[Permission | None]
"""None: there are more than can be listed."""


def held_by(grants: Iterable[Any]) -> dict[Any, str]:
    """For each grant by its key, what it allows, the most sensitive first, as HTML. 1 query. The
    grants were read with their service and the annotations of `content.listed`.
    """
    return {key: in_a_row([*scopes, *types]) for key, (scopes, types) in named_by(grants)}


def named_by(grants: Iterable[Any]) -> Iterator[tuple[Any, tuple[Permissions, Permissions]]]:
    """For each grant its key, and its scopes and its authorization types in plain words; [None]
    in place of those that are more than a row can list. 1 query, of grants as of `held_by`.
    """
    named = [(grant, content.names_in(grant)) for grant in grants]
    wanted: dict[Service, set[str]] = defaultdict(set)
    for grant, names in named:
        wanted[grant.service].update(name for some in names for name in (some or [])[:LOOKED_UP])
    words = PlainWords.of_services(wanted, reader_languages())
    for grant, (scopes, types) in named:
        own = words[grant.service]
        yield (
            grant.pk,
            (_of(own, Described.SCOPE, scopes), _of(own, Described.AUTHORIZATION_TYPE, types)),
        )


def _of(words: PlainWords, kind: Described, names: list[str] | None) -> Permissions:
    return [None] if names is None else [words.permission(kind, name) for name in names]


def in_a_row(every: Permissions) -> str:
    """What is allowed on one line, the most sensitive first; a click shows what is left."""
    known = [one for one in every if one is not None]
    if len(known) < len(every):
        return _("more than can be listed here")
    known.sort(key=rank)
    if not known:
        return NONE
    if len(known) <= SHOWN + 1:  # what a click would show is no longer than what one clicks
        return _list(known)
    return format_html("{} {}", _list(known[:SHOWN]), _folded(known[SHOWN:]))


def _folded(rest: list[Permission]) -> SafeString:
    said = ngettext("and %(n)s more", "and %(n)s more", len(rest)) % {"n": len(rest)}
    left = len(rest) - LISTED
    more = ngettext("%(n)s more", "%(n)s more", left) % {"n": left} if left > 0 else ""
    return format_html(
        '<details class="gm-rest"><summary>{}</summary>{}</details>',
        said,
        _list(rest[:LISTED], more),
    )


def _list(some: list[Permission], more: str = "") -> SafeString:
    items = [_shown(one) for one in some] + ([more] if more else [])
    return _ITEMS.put(joined(map(_ITEM.put, items)))


_ITEMS: Final = Around(format_html('<ul class="{}">', "gm-may"), format_html("</{}>", "ul"))
_ITEM: Final = Around(format_html("<{}>", "li"), format_html("</{}>", "li"))


def in_words(service: Service, shown: dict[str, Any]) -> dict[str, Any]:
    """What `content.shown` made, with permissions in place of scopes, and one beside each detail.
    1 query.
    """
    kinds = ("names", "rest")
    scopes = [name for entry in shown["scopes"] for kind in kinds for name in entry[kind]]
    types = {detail["type"] for detail in shown["details"]}
    wanted = types | set(scopes[: content.NAMES])
    words = PlainWords(service, wanted, reader_languages())
    for entry in shown["scopes"]:
        for kind in kinds:
            entry[kind] = [words.permission(Described.SCOPE, name) for name in entry[kind]]
    for detail in shown["details"]:
        detail["words"] = words.permission(Described.AUTHORIZATION_TYPE, detail["type"])
    return shown


def _shown(one: Permission) -> Any:
    """In plain words; a scope or type that nothing describes, as it is."""
    if not one.language:
        return format_html("<code>{}</code>", content.cut(one.value, content.NOTED))
    is_sensitive = one.sensitivity == Sensitivity.HIGH
    mark = format_html(" <em>{}</em>", _("sensitive")) if is_sensitive else ""
    return format_html(
        '<bdi lang="{}" title="{}">{}</bdi>{}',
        safe(one.language),
        safe(content.cut(one.value, content.NOTED)),
        safe(one.name),
        safe(mark),
    )
