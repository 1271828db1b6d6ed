"""What grants allow and what clients are, in words for people, in a language that they read."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from django.utils.translation import get_language

from ..db.any_of import any_of
from ..db.of_service import at_services
from ..protocol import languages, strict_json
from ..protocol.content import Content
from .client import Client
from .client_profile import ClientProfile
from .description import Described, Description, Sensitivity
from .grant import Grant
from .logo import Logo
from .service import Service

_ORDER: Final = [Sensitivity.HIGH, Sensitivity.MEDIUM, Sensitivity.LOW]
Texts = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that a grant allows.

    `value` is the scope or the authorization type. `name` is it in plain words, or the value where
    nothing describes it; then `sentence`, `sensitivity` and `language` are "". `resources` limit a
    scope; `detail` is an authorization detail (RFC 9396), whose members are in no order of ours.
    """

    kind: Described
    value: str
    name: str
    sentence: str
    sensitivity: str
    language: str
    resources: tuple[str, ...] = ()
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ClientWords:
    """A client as people are told of it; "" where a part is not known.

    `logo` is the digest of its logo in hexadecimal digits.
    """

    name: str
    language: str = ""
    site: str = ""
    contact: str = ""
    terms: str = ""
    logo: str = ""

    @property
    def contact_url(self) -> str:
        """The URL that a link to the contact has; "": there is no contact."""
        is_url = not self.contact or self.contact.startswith("https://")
        return self.contact if is_url else f"mailto:{quote(self.contact, safe='@')}"


class PlainWords:
    """The descriptions of some scopes and authorization types: 1 query, or none for no name.

    `preferred` are language tags (BCP 47), the best one first.
    """

    def __init__(self, service: Service, names: set[str], preferred: Sequence[str]) -> None:
        self._preferred = preferred
        self._found = _described({service.pk: names})[service.pk]

    @classmethod
    def of_services(
        cls, names: Mapping[Service, set[str]], preferred: Sequence[str]
    ) -> "dict[Service, PlainWords]":
        """The same for several services, by service: 1 query for all of them."""
        found = _described({service.pk: own for service, own in names.items()})
        made = {service: cls(service, set(), preferred) for service in names}
        for service, words in made.items():
            words._found = found[service.pk]
        return made

    def of(self, grant: Grant) -> list[Permission]:
        """What the grant allows, the most sensitive first."""
        resources: dict[str, set[str]] = defaultdict(set)
        for scope, resource in Content.stored(grant.scopes, "", "").pairs:
            resources[scope] |= {resource} - {None}  # type: ignore[arg-type]
        scopes = [
            self.permission(Described.SCOPE, scope, resources=tuple(sorted(limits)))
            for scope, limits in resources.items()
        ]
        details = [
            self.permission(Described.AUTHORIZATION_TYPE, detail["type"], detail=detail)
            for detail in strict_json.stored(grant.authorization_details or "[]")
        ]
        return sorted(scopes + details, key=rank)

    def name_of(self, kind: Described, value: str) -> str:
        """The name of a scope or authorization type in plain words; the value: none is known."""
        return self.permission(kind, value).name

    def permission(self, kind: Described, value: str, **more: Any) -> Permission:
        """One scope or authorization type; `more` are the other members of a Permission."""
        row = self._found.get((kind, value))
        text = chosen(row.texts, self._preferred) if row else {}
        return Permission(
            kind=kind,
            value=value,
            name=text.get("name", value),
            sentence=text.get("sentence", ""),
            sensitivity=str(row.sensitivity) if row else "",
            language=text.get("language", ""),
            **more,
        )


def _described(names: Mapping[int, set[str]]) -> dict[int, dict[tuple[str, str], Description]]:
    """The descriptions of these names by the number of their service, then by kind and name."""
    found: dict[int, dict[tuple[str, str], Description]] = {number: {} for number in names}
    every: set[str] = set().union(*names.values())
    if every:
        # All of the index's columns: of one service or many, it finds each name by itself.
        rows = Description.objects.filter(service__in=list(names), kind__in=Described.values)
        for row in rows.filter(any_of("name", every)):
            found[row.service_id][row.kind, row.name] = row
    return found


def reader_languages() -> list[str]:
    """The languages that the reader of a page reads: that of the page."""
    language = get_language()
    return [language] if language else []


def names_in(grants: Iterable[Grant]) -> set[str]:
    """The scopes and the authorization types that grants hold."""
    names: set[str] = set()
    for grant in grants:
        names |= grant.scope_names() | grant.authorization_types()
    return names


def of_clients(clients: Iterable[Client], preferred: Sequence[str]) -> dict[int, ClientWords]:
    """The clients of one service in plain words, by number: 2 queries, or none for no client."""
    known = {client.pk: client for client in clients}
    if not known:
        return {}
    at = at_services(client.service_id for client in known.values())
    profiles = ClientProfile.objects.filter(at, any_of("pk", known)).values_list("pk", "texts")
    texts = {pk: chosen(texts, preferred) for pk, texts in profiles}
    logos = dict(Logo.objects.filter(at, any_of("pk", known)).values_list("pk", "digest"))
    return {
        pk: ClientWords(
            **{"name": client.name or client.client_id, **texts.get(pk, {})},
            logo=bytes(logos[pk]).hex() if pk in logos else "",
        )
        for pk, client in known.items()
    }


def chosen(texts: Texts, preferred: Sequence[str]) -> dict[str, str]:
    """The text in the language that fits best (RFC 4647 §3.4), or else the first; {}: no texts.

    A part that it lacks is that of the first text.
    """
    if not texts:
        return {}
    tag = languages.lookup(preferred, [text["language"] for text in texts])
    best = next((text for text in texts if text["language"] == tag), texts[0])
    return {**texts[0], **best}


def rank(permission: Permission) -> tuple[int, str]:
    """The key to sort by: the most sensitive first; what is not described counts as medium."""
    sensitivity = permission.sensitivity or Sensitivity.MEDIUM
    return _ORDER.index(Sensitivity(sensitivity)), permission.name.casefold()
