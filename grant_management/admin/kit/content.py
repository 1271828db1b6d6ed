"""What a grant holds, as far as a page shows it, whatever it holds; and all of it as a file."""

from typing import Any, Final

from django.db.models import Case, Expression, F, TextField, Value, When
from django.db.models.functions import Cast, Length
from django.db.models.lookups import GreaterThan
from django.http import HttpResponse

from ...models import Grant
from ...models.content_search import AuthorizationTypes
from ...models.grant import CONTENT
from ...protocol import strict_json
from .display import indented, tree

LISTED: Final = 8_000
"""Characters of a column that a row of a list reads."""
READ: Final = 65_536
"""Characters of a column that a row's own page reads."""
DRAWN: Final = 20_000
"""Characters of authorization details that are drawn as cards."""
LONG: Final = 2_000
"""Characters of one text."""
ENTRIES: Final = 50
"""Entries of one list."""


class Size(Length):
    """Characters of a text, or bytes where that spares a database the reading."""

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The size is kept beside the text."""
        return self.as_sql(compiler, connection, function="OCTET_LENGTH", **context)


def bounded(text: Any, most: int, of: Any = None) -> Case:
    """The text, or what is made `of` it; null where the text is longer than that."""
    too_long = When(GreaterThan(Size(text), most), then=Value(None))
    return Case(too_long, default=text if of is None else of, output_field=TextField())


def as_text(column: str) -> Expression:
    """A column of JSON as the text that it is."""
    return Cast(column, TextField())


def listed() -> dict[str, Any]:
    """For each row of a list of grants: what `names_in` reads."""
    details = F("authorization_details")
    return {
        "listed_scopes": bounded(F("scopes"), LISTED),
        "listed_types": bounded(details, LISTED, AuthorizationTypes(details)),
    }


def names_in(row: Any) -> tuple[list[str] | None, list[str] | None]:
    """The scopes and the authorization types of a row of a list; None: too long to be read."""
    scopes, types = row.listed_scopes, row.listed_types
    return (
        None if scopes is None else sorted(Grant(scopes=scopes).scope_names()),
        None if types is None else strict_json.stored(types),
    )


def shown(grant: Grant) -> dict[str, Any]:
    """What the grant's page shows of it. `more`: there is more than that."""
    texts = {f"shown_{name}": bounded(F(name), READ) for name in CONTENT}
    scopes, claims, details = (
        Grant.objects.filter(pk=grant.pk).annotate(**texts).values_list(*texts).get()
    )
    entries, names = strict_json.stored(scopes or "[]"), strict_json.stored(claims or "[]")
    drawn, others = _drawn(details or "")
    return {
        "scopes": [_entry(entry) for entry in entries[:ENTRIES]],
        "claims": cut(", ".join(names)),
        "details": drawn,
        "others": cut(", ".join(sorted(others))),
        "more": bool(others) or None in (scopes, claims, details) or len(entries) > ENTRIES,
    }


def whole(grant: Grant) -> HttpResponse:
    """All that it holds, as a file of JSON."""
    texts = dict(zip(CONTENT, Grant.objects.values_list(*CONTENT).get(pk=grant.pk), strict=True))
    members = (f'"{name}":{text}' for name, text in texts.items() if text)
    return json_file("{" + ",".join(members) + "}", f"grant-{grant.pk}.json")


def json_file(text: str, name: str) -> HttpResponse:
    """A text of JSON that the browser saves."""
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def cut(text: str, most: int = LONG) -> str:
    """Its beginning, and a sign that there is more."""
    return text if len(text) <= most else f"{text[:most]}…"


def _entry(entry: dict[str, Any]) -> dict[str, str]:
    resource = cut(", ".join(entry.get("resource", [])))
    return {"resource": resource, "scope": cut(entry["scope"])}


def _drawn(text: str) -> tuple[list[dict[str, Any]], set[str]]:
    """The first of the details as cards; and the types of the others."""
    cards: list[dict[str, Any]] = []
    room, details = DRAWN, strict_json.stored(text or "[]")
    for detail in details[:ENTRIES]:
        raw = strict_json.dumps(detail)
        room -= len(raw)
        if room < 0:
            break
        cards.append(_card(detail, raw))
    return cards, {detail["type"] for detail in details[len(cards) :]}


def _card(detail: dict[str, Any], raw: str) -> dict[str, Any]:
    members = {name: value for name, value in detail.items() if name != "type"}
    drawn = tree(members) if members else ""
    return {"type": detail["type"], "tree": drawn, "raw": indented(detail), "copy": raw}
