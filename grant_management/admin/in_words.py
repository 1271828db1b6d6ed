"""What grants allow, in plain words beside the scope or type, on the pages of operators."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Service
from ..models.description import Described, Sensitivity
from ..models.plain_words import Permission, PlainWords, rank, reader_languages
from .kit import content
from .kit.utc import NONE

SHOWN: Final = 6
"""What a row of a list shows of a grant, at most."""
LOOKED_UP: Final = 100
"""Scopes, and authorization types, of one grant whose descriptions a list looks up, at most."""
Names = tuple[list[str] | None, list[str] | None]


def held_by(grants: Iterable[Any]) -> dict[Any, str]:
    """For each grant by its key, the most sensitive of what it allows, as HTML. 1 query for each
    service. The grants were read with their service and the annotations of `content.listed`.
    """
    of_service: dict[Service, list[Any]] = defaultdict(list)
    for grant in grants:
        of_service[grant.service].append(grant)
    shown: dict[Any, str] = {}
    for service, own in of_service.items():
        shown |= _of_service(service, own)
    return shown


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


def _of_service(service: Service, grants: list[Any]) -> dict[Any, str]:
    named = {grant.pk: content.names_in(grant) for grant in grants}
    wanted = {
        name for names in named.values() for some in names for name in (some or [])[:LOOKED_UP]
    }
    words = PlainWords(service, wanted, reader_languages())
    return {key: _held(names, words) for key, names in named.items()}


def _held(names: Names, words: PlainWords) -> str:
    if None in names:
        return _("more than can be listed here")
    kinds = zip((Described.SCOPE, Described.AUTHORIZATION_TYPE), names, strict=True)
    every = [words.permission(kind, name) for kind, some in kinds for name in some or ()]
    if not every:
        return NONE
    every.sort(key=rank)
    items = format_html_join("", "<li>{}</li>", ((_shown(one),) for one in every[:SHOWN]))
    left = len(every) - SHOWN
    more = ngettext("%(n)s more", "%(n)s more", left) % {"n": left} if left > 0 else ""
    return format_html(
        '<ul class="gm-may">{}{}</ul>', items, format_html("<li>{}</li>", more) if more else ""
    )


def _shown(one: Permission) -> str:
    code = format_html("<code>{}</code>", content.cut(one.value, content.NOTED))
    if not one.language:
        return code
    is_sensitive = one.sensitivity == Sensitivity.HIGH
    mark = format_html(" <em>{}</em>", _("sensitive")) if is_sensitive else ""
    return format_html('<bdi lang="{}">{}</bdi>{} {}', one.language, one.name, mark, code)
