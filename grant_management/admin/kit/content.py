"""The content of a grant: as much as a page can show, however large it is, or all as a file."""

from typing import Any, Final

from django.db.models import Case, Expression, F, TextField, Value, When
from django.db.models.functions import Cast, Length
from django.db.models.lookups import GreaterThan
from django.http import HttpResponse

from ...models import Grant
from ...models.content_search import AuthorizationTypes
from ...models.grant import CONTENT
from ...protocol import strict_json
from ...protocol.content import names_of
from .display import indented, tree

LISTED: Final = 8_000
"""The longest column that a row of a list reads (see `Size`)."""
READ: Final = 65_536
"""The longest column that a row's own page reads (see `Size`)."""
DRAWN: Final = 20_000
"""The most characters of authorization details that are drawn as cards."""
LONG: Final = 2_000
"""The most characters that are shown of one text."""
NOTED: Final = 200
"""The most characters that a list shows of one text."""
ENTRIES: Final = 50
"""The most entries that are shown of one list."""
NAMES: Final = 500
"""The most scopes that are shown of one resource."""
AT_ONCE: Final = 20
"""Scopes of a resource that are shown at once; a click shows the others."""
SHORT: Final = 1_000
"""Characters of a detail up to which its card is open at once."""


class Size(Length):
    """The length of a text in SQL: in characters, but on PostgreSQL in bytes."""

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL keeps the number of bytes beside a long text, and need not read the text."""
        return self.as_sql(compiler, connection, function="OCTET_LENGTH", **context)


def bounded(text: Any, most: int, of: Any = None) -> Case:
    """SQL of the text, or of the expression `of`; null where the text is longer than `most`."""
    too_long = When(GreaterThan(Size(text), most), then=Value(None))
    return Case(too_long, default=text if of is None else of, output_field=TextField())


def as_text(column: str) -> Expression:
    """SQL of a JSON column as text."""
    return Cast(column, TextField())


def listed() -> dict[str, Any]:
    """The annotations of a list of grants that `names_in` reads."""
    details = F("authorization_details")
    return {
        "listed_scopes": bounded(F("scopes"), LISTED),
        "listed_types": bounded(details, LISTED, AuthorizationTypes(details)),
    }


def names_in(row: Any) -> tuple[list[str] | None, list[str] | None]:
    """The scope names and the authorization types of a row that has the annotations of `listed`,
    both sorted. None: the column is longer than a list reads.
    """
    scopes, types = row.listed_scopes, row.listed_types
    return (
        None if scopes is None else sorted(names_of(scopes)),
        None if types is None else strict_json.stored(types),
    )


def shown(grant: Grant) -> dict[str, Any]:
    """The template's context for the content of a grant.

    `details` are cards, and `others` the types of the details without a card. `more`: entries are
    missing. A text that is only cut does not count: it ends in "…". Of each entry of scopes `names`
    are shown at once, and `rest` after a click.
    """
    texts = {f"shown_{name}": bounded(F(name), READ) for name in CONTENT}
    scopes, claims, details = grant.its_row().annotate(**texts).values_list(*texts).get()
    entries, names = strict_json.stored(scopes or "[]"), strict_json.stored(claims or "[]")
    drawn, others = _drawn(details or "")
    shown_entries = [_entry(entry) for entry in entries[:ENTRIES]]
    is_cut = len(entries) > ENTRIES or any(entry["is_cut"] for entry in shown_entries)
    return {
        "scopes": shown_entries,
        "claims": cut(", ".join(names)),
        "details": drawn,
        "others": cut(", ".join(sorted(others))),
        "more": bool(others) or None in (scopes, claims, details) or is_cut,
    }


def whole(grant: Grant) -> HttpResponse:
    """The whole content of a grant, as a JSON file."""
    texts = dict(zip(CONTENT, grant.its_row().values_list(*CONTENT).get(), strict=True))
    members = (f'"{name}":{text}' for name, text in texts.items() if text)
    return json_file("{" + ",".join(members) + "}", f"grant-{grant.pk}.json")


def json_file(text: str, name: str) -> HttpResponse:
    """A response that the browser saves as a file; the text is JSON already."""
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def cut(text: str, most: int = LONG) -> str:
    """The text, or its first `most` characters and "…" where it is longer."""
    return text if len(text) <= most else f"{text[:most]}…"


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    names = entry["scope"].split(" ")
    shown = [cut(name, NOTED) for name in names[:NAMES]]
    return {
        "resource": cut(", ".join(entry.get("resource", []))),
        "names": shown[:AT_ONCE],
        "rest": shown[AT_ONCE:],
        "is_cut": len(names) > NAMES,
    }


def _drawn(text: str) -> tuple[list[dict[str, Any]], set[str]]:
    """The first details, as many as `ENTRIES` and `DRAWN` allow, as cards; the others' types."""
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
    shown = {"type": detail["type"], "tree": drawn, "raw": indented(detail), "copy": raw}
    return shown | {"is_short": len(raw) <= SHORT}
