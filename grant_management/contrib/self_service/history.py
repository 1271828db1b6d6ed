"""The history of an app's access: what changed, when, and by whom, as the person may know it.

Who of the service's staff acted, and why, is told to auditors and not here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from grant_management.models import Client, Described, EventKind, GrantEvent
from grant_management.models.event import ActorKind
from grant_management.models.plain_words import PlainWords
from grant_management.protocol import strict_json

from .person import Person

COMPARED: Final = 65_536
"""Characters of an event's contents whose difference is shown, at most."""
Names = frozenset[tuple[Described, str]]
SENTENCES: Final[Mapping[str, Promise]] = {
    EventKind.CREATED: pgettext_lazy("self-service", "Access was given."),
    EventKind.MERGED: pgettext_lazy("self-service", "More access was given."),
    EventKind.REPLACED: pgettext_lazy("self-service", "The access was replaced by another one."),
    EventKind.REVOKED: pgettext_lazy("self-service", "The access was removed by the service."),
    EventKind.TOKENS_REVOKED: pgettext_lazy("self-service", "The app was signed out."),
    EventKind.REFRESH_REUSED: pgettext_lazy(
        "self-service",
        "The app was signed out for safety: an old key was used again.",
    ),
}
_REMOVED_BY: Final[Mapping[str, Promise]] = {
    ActorKind.SUBJECT: pgettext_lazy("self-service", "You removed the access."),
    ActorKind.CLIENT: pgettext_lazy("self-service", "The app gave up the access."),
}


@dataclass(frozen=True)
class Change:
    """One entry: when, what in a sentence, and what was added and removed, in plain words."""

    at: datetime
    sentence: Promise
    added: list[str]
    removed: list[str]


def events_of(person: Person, client: Client) -> Any:
    """The query set of the events that are shown, newest first."""
    rows = GrantEvent.objects.filter(service=person.service, subject=person.subject)
    rows = rows.filter(client_id=client.client_id, kind__in=list(SENTENCES))
    return rows.order_by("-at", "-pk")


def names_in(events: list[GrantEvent]) -> set[str]:
    """The scopes and authorization types that the events name."""
    found = (one for event in events for names in differences(event) for one in names)
    return {name for _kind, name in found}


def changes(events: list[GrantEvent], words: PlainWords) -> Iterator[Change]:
    """The entries of events."""
    for event in events:
        added, removed = (
            sorted(words.name_of(*one) for one in names) for names in differences(event)
        )
        yield Change(event.at, _sentence(event), added, removed)


def differences(event: GrantEvent) -> tuple[Names, Names]:
    """What was added and what was removed; nothing where the contents are too long to compare."""
    details = event.details if isinstance(event.details, dict) else {}
    texts = [details.get(name, "") for name in ("before", "after", "added", "removed")]
    are_texts = all(isinstance(text, str) for text in texts)
    if not are_texts or sum(map(len, texts)) > COMPARED:
        return frozenset(), frozenset()
    before, after, added, removed = map(_names, texts)
    return (after - before) | added, (before - after) | removed


def _names(text: str) -> Names:
    """The scopes and types in a grant's content, as a QUERY shows it; none in ""."""
    content = strict_json.stored(text or "{}")
    scopes = {name for entry in content.get("scopes", []) for name in entry["scope"].split(" ")}
    types = {detail["type"] for detail in content.get("authorization_details", [])}
    return frozenset(
        [(Described.SCOPE, name) for name in scopes]
        + [(Described.AUTHORIZATION_TYPE, name) for name in types]
    )


def _sentence(event: GrantEvent) -> Promise:
    if event.kind == EventKind.REVOKED and event.actor_kind in _REMOVED_BY:
        return _REMOVED_BY[event.actor_kind]
    return SENTENCES[event.kind]
