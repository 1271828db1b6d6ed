"""Searches the JSON texts of grants by SQL: with the same result as `Grant.scope_names` and
`Grant.authorization_types`, but without loading the texts.
"""

from typing import Any, Final

from django.db import models
from django.db.models import F, Func, Q, Value

from ..protocol import strict_json

Compiled = tuple[str, tuple[Any, ...]]

# An empty column is not JSON: it stands for an empty array.
_NONE: Final = "CASE WHEN {column} = '' THEN '[]' ELSE {column} END"
_SQLITE: Final = f"json_each({_NONE}) AS entry"
_POSTGRESQL: Final = f"json_array_elements(({_NONE})::json) AS entry(value)"


def holds_scope(name: str) -> Q:
    """Grants that hold this scope for any resource; it is case-sensitive (RFC 6749 §3.3)."""
    if " " in name:  # no scope has a space in it, but two adjacent scopes would match
        return Q(pk__in=[])
    # `contains` is the cheap test that spares most rows the parsing.
    return Q(scopes__contains=name) & Q(_HoldsScope(F("scopes"), Value(f" {name} ")))


def holds_type(name: str) -> Q:
    """Grants with an authorization detail whose top-level `type` is this one (RFC 9396 §2)."""
    written = strict_json.dumps(name)
    found = _HoldsType(F("authorization_details"), Value(name))
    return Q(authorization_details__contains=written) & Q(found)


class _OfEntries(Func):
    """SQL over the entries of the JSON array in a text column; "" has no entries."""

    sqlite = ""
    postgresql = ""

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Compiled:
        """With the JSON functions that SQLite has built in since 3.38."""
        return self._over(compiler, self.sqlite, _SQLITE)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Compiled:
        """With `json`, which takes numbers of any size; `jsonb` does not."""
        return self._over(compiler, self.postgresql, _POSTGRESQL)

    def _over(self, compiler: Any, template: str, entries: str) -> Compiled:
        column, *others = [compiler.compile(one) for one in self.get_source_expressions()]
        parameters = tuple(value for _sql, values in others for value in values)
        return template.format(entries=entries.format(column=column[0])), parameters


class _HoldsScope(_OfEntries):
    # Between spaces: an entry may hold several names, and one name may be a part of another.
    output_field = models.BooleanField()
    sqlite = (
        "EXISTS(SELECT 1 FROM {entries}"
        " WHERE instr(' ' || json_extract(entry.value, '$.scope') || ' ', %s) > 0)"
    )
    postgresql = (
        "EXISTS(SELECT 1 FROM {entries}"
        " WHERE strpos(' ' || (entry.value->>'scope') || ' ', %s) > 0)"
    )


class _HoldsType(_OfEntries):
    output_field = models.BooleanField()
    sqlite = "EXISTS(SELECT 1 FROM {entries} WHERE json_extract(entry.value, '$.type') = %s)"
    postgresql = "EXISTS(SELECT 1 FROM {entries} WHERE entry.value->>'type' = %s)"


class AuthorizationTypes(_OfEntries):
    """The distinct types of a grant's authorization details, as a sorted JSON array."""

    output_field = models.TextField()
    sqlite = (
        "(SELECT json_group_array(name) FROM"
        " (SELECT DISTINCT json_extract(entry.value, '$.type') AS name FROM {entries} ORDER BY 1))"
    )
    postgresql = (
        "(SELECT COALESCE(json_agg(name), '[]')::text FROM"
        " (SELECT DISTINCT entry.value->>'type' AS name FROM {entries} ORDER BY 1) AS named)"
    )
