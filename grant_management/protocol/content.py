"""What a grant holds: scopes with their resources, claims, authorization details (draft §6.4).

All of it is stored as the JSON text that a QUERY shows, so that neither the order of members nor
the spelling of numbers is lost (RFC 9396 leaves the meaning of both to the detail's type).

All input is read here, whichever way it arrives. What is stored is read back without limits.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from . import strict_json

Pair = tuple[str, str | None]
"""A scope and the resource that it was granted for; None: no resource in particular."""

MAX_NAME: Final = 255
"""Characters of a scope's name, a claim's name and a detail's type; also the limit of searches."""
MAX_RESOURCE: Final = 2_000
"""Characters of a resource's URI."""


class Limits(NamedTuple):
    """The limits of one grant: its pairs of a scope and a resource, the bytes of its JSON texts."""

    pairs: int = 10_000
    size: int = 262_144


DEFAULT_LIMITS: Final = Limits()


class TooLarge(ValueError):
    """The grant would hold more than a limit allows. The message says which limit."""


_SIZE: Final = f"1 to {MAX_NAME} characters"
SCOPES_RULE: Final = (
    f"must be an array of objects with 'scope' (space-delimited names of RFC 6749, each of {_SIZE})"
    f" and 'resource' (an array of absolute URIs without fragment, each of 1 to {MAX_RESOURCE}"
    " characters)"
)
CLAIMS_RULE: Final = f"must be an array of names, each of {_SIZE} without control characters"
DETAILS_RULE: Final = (
    f"must be an array of objects with a 'type' of {_SIZE} without control characters"
)

# RFC 6749 §3.3.
_SCOPE = re.compile(rf"[\x21\x23-\x5B\x5D-\x7E]{{1,{MAX_NAME}}}\Z")
# RFC 8707 §2: an absolute URI without fragment.
_RESOURCE = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:[\x21\x24-\x3B\x3D\x3F-\x5B\x5D\x5F\x61-\x7A\x7E]+\Z"
)
# Unicode's categories Cc (control characters) and Cs (surrogates, each half of a character).
CONTROL: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")


def has_control(text: str) -> bool:
    """Whether the text has a control character or a lone surrogate."""
    return not text.isprintable() and CONTROL.search(text) is not None


def is_name(value: Any) -> bool:
    """Whether the value can be the name of a claim or the type of a detail."""
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and not has_control(value)


def is_scope(value: Any) -> bool:
    """Whether the value is the name of one scope (RFC 6749 §3.3)."""
    return isinstance(value, str) and _SCOPE.match(value) is not None


def is_resource(value: Any) -> bool:
    """Whether the value is an absolute URI without fragment (RFC 8707 §2)."""
    fits = isinstance(value, str) and len(value) <= MAX_RESOURCE
    return fits and _RESOURCE.match(value) is not None


def is_detail(value: Any) -> bool:
    """Whether the value is an object with a type (RFC 9396 §2)."""
    return isinstance(value, dict) and is_name(value.get("type"))


def scope_names(text: Any) -> list[str]:
    """The distinct names in a space-delimited scope, sorted. ValueError: not by RFC 6749 §3.3."""
    names = text.split(" ") if isinstance(text, str) else []
    if not names or not all(map(_SCOPE.match, names)):
        raise ValueError(SCOPES_RULE)
    return sorted(set(names))


def read_scopes(scopes: Any, most: int = DEFAULT_LIMITS.pairs) -> frozenset[Pair]:
    """The pairs in `[{"scope":…,"resource":[…]}]`; none where it is None.

    ValueError: it is something else. TooLarge: it has more than `most` pairs. They are counted
    before they are made, since the scopes and the resources of an entry multiply.
    """
    pairs: set[Pair] = set()
    room = most
    for entry in _array(scopes, SCOPES_RULE):
        if not isinstance(entry, dict) or entry.keys() - {"scope", "resource"}:
            raise ValueError(SCOPES_RULE)
        names, resources = scope_names(entry.get("scope")), _resources(entry.get("resource"))
        room -= len(names) * len(resources)
        if room < 0:
            raise TooLarge(f"must hold at most {most} pairs of a scope and a resource")
        pairs.update((name, resource) for name in names for resource in resources)
    return frozenset(pairs)


def read_claims(claims: Any) -> frozenset[str]:
    """The distinct names in an array; none where it is None. ValueError: it is something else."""
    names = _array(claims, CLAIMS_RULE)
    if not all(map(is_name, names)):
        raise ValueError(CLAIMS_RULE)
    return frozenset(names)


def read_details(details: Any) -> tuple[str, ...]:
    """The JSON text of each distinct detail. ValueError: not an array as in RFC 9396 §2.

    `details` come from `strict_json.loads` with `keep_numbers`; None: there are none.
    """
    objects = _array(details, DETAILS_RULE)
    if not all(map(is_detail, objects)):
        raise ValueError(DETAILS_RULE)
    if len(objects) > 1:
        once: dict[str, Any] = {}
        for one in objects:
            once.setdefault(strict_json.canonical(one), one)
        objects = list(once.values())
    return tuple(map(strict_json.dumps, objects))


def show_scopes(pairs: Iterable[Pair]) -> str:
    """The JSON text of `scopes`, an entry for each distinct set of resources; "": no pairs."""
    resources: dict[str, set[str]] = defaultdict(set)
    for name, resource in pairs:
        if resource is not None:
            resources[name].add(resource)
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, held in resources.items():
        groups[tuple(sorted(held))].append(name)
    entries: list[dict[str, Any]] = [
        {"scope": " ".join(sorted(names)), "resource": list(held)}
        for held, names in sorted(groups.items())
    ]
    without = sorted({name for name, resource in pairs if resource is None})
    if without:
        entries.append({"scope": " ".join(without)})
    return strict_json.dumps(entries) if entries else ""


def show_claims(claims: Iterable[str]) -> str:
    """The JSON text of `claims`, sorted; "": no claims."""
    names = sorted(claims)
    return strict_json.dumps(names) if names else ""


def show_details(details: Iterable[str]) -> str:
    """The JSON text of `authorization_details`; "": no details."""
    texts = ",".join(details)
    return f"[{texts}]" if texts else ""


def _array(value: Any, rule: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(rule)
    return value


def _resources(value: Any) -> list[str | None]:
    if not all(map(is_resource, _array(value, SCOPES_RULE))):
        raise ValueError(SCOPES_RULE)
    return [*dict.fromkeys(value or ())] or [None]


@dataclass(frozen=True, slots=True)
class Content:
    """What a user consented to. `details` are JSON texts, in the order of their first grant."""

    pairs: frozenset[Pair] = frozenset()
    claims: frozenset[str] = frozenset()
    details: tuple[str, ...] = ()

    @classmethod
    def read(
        cls, scopes: Any, claims: Any, details: Any, limits: Limits = DEFAULT_LIMITS
    ) -> "Content":
        """From values of `strict_json.loads` with `keep_numbers`. ValueError: not acceptable.

        TooLarge (a ValueError): more than `limits` allow.
        """
        content = cls(read_scopes(scopes, limits.pairs), read_claims(claims), read_details(details))
        content.check_size(limits)
        return content

    @classmethod
    def stored(cls, scopes: str, claims: str, details: str) -> "Content":
        """From the JSON texts of a grant, "" for none. The limits of today do not apply."""
        return cls(
            frozenset(_stored_pairs(scopes)),
            frozenset(strict_json.stored(claims or "[]")),
            tuple(map(strict_json.dumps, strict_json.stored(details or "[]"))),
        )

    def merged(self, other: "Content") -> "Content":
        """The union of both. Details are equal when their parsed JSON is equal."""
        details = self.details + other.details_not_in(self)
        return Content(self.pairs | other.pairs, self.claims | other.claims, details)

    def without(self, other: "Content") -> "Content":
        """What this content has and the other does not."""
        return Content(
            self.pairs - other.pairs, self.claims - other.claims, self.details_not_in(other)
        )

    def details_not_in(self, other: "Content") -> tuple[str, ...]:
        """The distinct details of this content that the other does not have, in their order."""
        known = set(map(_identity, other.details))
        found: dict[str, str] = {}
        for detail in self.details:
            found.setdefault(_identity(detail), detail)
        return tuple(detail for identity, detail in found.items() if identity not in known)

    def check(self) -> None:
        """Raise ValueError if a name, a resource or a detail is not acceptable.

        For content that a caller in Python built itself, without `read`.
        """
        names, resources = {name for name, _ in self.pairs}, {one for _, one in self.pairs}
        details = [strict_json.loads(one, keep_numbers=True) for one in self.details]
        if not all(map(is_scope, names)):
            raise ValueError(f"A scope's name has 1 to {MAX_NAME} characters of RFC 6749.")
        if not all(map(is_resource, resources - {None})):
            raise ValueError(f"A resource is an absolute URI of at most {MAX_RESOURCE} characters.")
        if not all(map(is_name, self.claims)):
            raise ValueError(f"A claim's name has 1 to {MAX_NAME} characters, no controls.")
        if not all(map(is_detail, details)):
            raise ValueError(f"A detail is an object with a 'type' of 1 to {MAX_NAME} characters.")

    def check_size(self, limits: Limits) -> None:
        """Raise TooLarge if the content is more than `limits` allow for one grant."""
        if len(self.pairs) > limits.pairs:
            raise TooLarge(f"A grant holds at most {limits.pairs} pairs of a scope and a resource.")
        if self.size() > limits.size:
            raise TooLarge(f"A grant holds at most {limits.size} bytes of content.")

    def size(self) -> int:
        """The bytes of the JSON texts to store, which are ASCII."""
        return sum(map(len, self.texts().values()))

    def text(self) -> str:
        """The content as one JSON text, as a QUERY shows it (draft §6.4)."""
        return shown(self.texts())

    def texts(self) -> dict[str, str]:
        """The JSON texts to store, by member; "": the member is empty."""
        return {
            "scopes": show_scopes(self.pairs),
            "claims": show_claims(self.claims),
            "authorization_details": show_details(self.details),
        }


def shown(texts: Mapping[str, str]) -> str:
    """The JSON object whose members have these JSON texts, without those that are ""."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in texts.items() if text) + "}"


def names_of(scopes: str) -> set[str]:
    """All names in the stored scopes of a grant, whatever their resources."""
    return {name for name, _ in _stored_pairs(scopes)}


def types_of(details: str) -> set[str]:
    """All types in the stored authorization details of a grant (RFC 9396 §2)."""
    return {detail["type"] for detail in strict_json.stored(details or "[]")}


def _stored_pairs(scopes: str) -> Iterable[Pair]:
    for entry in strict_json.stored(scopes or "[]"):
        for name in entry["scope"].split(" "):
            for resource in entry.get("resource", [None]):
                yield name, resource


def _identity(detail: str) -> str:
    """A text that is the same for details that are equal as JSON."""
    return strict_json.canonical(strict_json.stored(detail))
