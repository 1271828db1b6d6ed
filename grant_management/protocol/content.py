"""What a grant holds: scopes with their resources, claims, authorization details (draft §6.4).

All of it is kept as the JSON text that a QUERY shows, so that nothing is lost between: neither
the order of members nor the spelling of numbers (RFC 9396 leaves both to the detail's type).
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from . import strict_json

Pair = tuple[str, str | None]
"""A scope and the resource that it was granted for; None: for no resource in particular."""

# RFC 6749 §3.3.
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+\Z")
# RFC 8707 §2: an absolute URI without fragment.
_RESOURCE = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:[\x21\x24-\x3B\x3D\x3F-\x5B\x5D\x5F\x61-\x7A\x7E]+\Z"
)


def scope_names(text: Any) -> list[str]:
    """The names of a space-delimited scope, sorted. ValueError: no scope of RFC 6749 §3.3."""
    names = text.split(" ") if isinstance(text, str) else []
    if not names or not all(map(_SCOPE.match, names)):
        raise ValueError("'scope' must be space-delimited names (RFC 6749, section 3.3)")
    return sorted(set(names))


def scope_pairs(scopes: Any) -> set[Pair]:
    """The pairs behind `[{"scope":…,"resource":[…]}]`. ValueError: it is something else."""
    pairs: set[Pair] = set()
    for entry in _list(scopes, "scopes"):
        if not isinstance(entry, dict) or entry.keys() - {"scope", "resource"}:
            raise ValueError("'scopes' must hold objects with 'scope' and 'resource'")
        resources = [_resource(one) for one in _list(entry.get("resource"), "resource")]
        names = scope_names(entry.get("scope"))
        held: list[str | None] = [*resources] or [None]
        pairs.update((name, resource) for name in names for resource in held)
    return pairs


def show_scopes(pairs: Iterable[Pair]) -> str:
    """The JSON text of `scopes`: one entry for each distinct set of resources, or ""."""
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


def show_claims(claims: Any) -> str:
    """The JSON text of `claims`, sorted, or "". ValueError: not an array of names."""
    names = _list(claims, "claims")
    if not all(isinstance(name, str) and name for name in names):
        raise ValueError("'claims' must be an array of names")
    return strict_json.dumps(sorted(set(names))) if names else ""


def show_details(details: Any) -> str:
    """The JSON text of `authorization_details`, or "". ValueError: not as RFC 9396 §2 has it.

    `details` come from `strict_json.loads` with `keep_numbers`.
    """
    objects = _list(details, "authorization_details")
    for one in objects:
        if not isinstance(one, dict) or not isinstance(one.get("type"), str) or not one["type"]:
            raise ValueError("'authorization_details' must hold objects with a 'type'")
    return strict_json.dumps(objects) if objects else ""


def _list(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"'{name}' must be an array")
    return value


def _resource(value: Any) -> str:
    if not isinstance(value, str) or not _RESOURCE.match(value):
        raise ValueError("'resource' must hold absolute URIs without fragment")
    return value


@dataclass(frozen=True, slots=True)
class Content:
    """What a user consented to. `details` are JSON texts, in the order first granted."""

    pairs: frozenset[Pair] = frozenset()
    claims: frozenset[str] = frozenset()
    details: tuple[str, ...] = ()

    @classmethod
    def read(cls, scopes: Any, claims: Any, details: Any) -> "Content":
        """From JSON values, the details with their numbers kept. ValueError: not acceptable."""
        shown = show_claims(claims), show_details(details)
        return cls.stored(show_scopes(scope_pairs(scopes)), *shown)

    @classmethod
    def stored(cls, scopes: str, claims: str, details: str) -> "Content":
        """From the JSON texts of a grant."""
        objects = strict_json.loads(details or "[]", keep_numbers=True)
        return cls(
            frozenset(scope_pairs(strict_json.loads(scopes or "[]"))),
            frozenset(strict_json.loads(claims or "[]")),
            tuple(map(strict_json.dumps, objects)),
        )

    def merged(self, other: "Content") -> "Content":
        """The union; details are equal when their parsed JSON is equal."""
        known = {_identity(detail) for detail in self.details}
        new = {_identity(detail): detail for detail in reversed(other.details)}
        added = [new[key] for key in map(_identity, other.details) if key not in known]
        details = self.details + tuple(dict.fromkeys(added))
        return Content(self.pairs | other.pairs, self.claims | other.claims, details)

    def texts(self) -> dict[str, str]:
        """The JSON texts to store, by member."""
        return {
            "scopes": show_scopes(self.pairs),
            "claims": show_claims(sorted(self.claims)),
            "authorization_details": f"[{','.join(self.details)}]" if self.details else "",
        }


def _identity(detail: str) -> Any:
    """The same for equal JSON values: 1 is 1.0, and not true."""
    return _frozen(json.loads(detail, parse_float=Decimal, parse_int=Decimal))


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return frozenset((name, _frozen(member)) for name, member in value.items())
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return type(value).__name__, value
