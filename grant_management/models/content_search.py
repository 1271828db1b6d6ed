"""What a grant's JSON texts name, found by SQL: the same as `Grant.scope_names` and
`Grant.authorization_types` say, without reading the texts.
"""

from typing import Any, Final

from django.db import models
from django.db.models import F, Func, Q, Value

from ..protocol import strict_json

Compiled = tuple[str, tuple[Any, ...]]

_NONE: Final = "CASE WHEN {column} = '' THEN '[]' ELSE {column} END"
_SQLITE: Final = f"json_each({_NONE}) AS entry"
_POSTGRESQL: Final = f"json_array_elements(({_NONE})::json) AS entry(value)"


def holds_scope(name: str) -> Q:
    """Grants that hold this scope, whatever its resources (RFC 6749 §3.3: compared as it is)."""
    if " " in name:  # no scope is named so, but two in a row would look like it
        return Q(pk__in=[])
    return Q(scopes__contains=name) & Q(_HoldsScope(F("scopes"), Value(f" {name} ")))


def holds_type(name: str) -> Q:
    """Grants with a detail of this `type` (RFC 9396 §2): its top-level member, exactly."""
    written = strict_json.dumps(name)
    found = _HoldsType(F("authorization_details"), Value(name))
    return Q(authorization_details__contains=written) & Q(found)


class _OfEntries(Func):
    """SQL over the entries of a JSON array that a column of text has; "" is none."""

    sqlite = ""
    postgresql = ""

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Compiled:
        """JSON functions of SQLite 3.38."""
        return self._over(compiler, self.sqlite, _SQLITE)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Compiled:
        """By `json`, which takes numbers of any size; `jsonb` does not."""
        return self._over(compiler, self.postgresql, _POSTGRESQL)

    def _over(self, compiler: Any, template: str, entries: str) -> Compiled:
        column, *others = [compiler.compile(one) for one in self.get_source_expressions()]
        parameters = tuple(value for _sql, values in others for value in values)
        return template.format(entries=entries.format(column=column[0])), parameters


class _HoldsScope(_OfEntries):
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
    """The types of a grant's details as a JSON array of names, sorted."""

    output_field = models.TextField()
    sqlite = (
        "(SELECT json_group_array(name) FROM"
        " (SELECT DISTINCT json_extract(entry.value, '$.type') AS name FROM {entries} ORDER BY 1))"
    )
    postgresql = (
        "(SELECT COALESCE(json_agg(name), '[]')::text FROM"
        " (SELECT DISTINCT entry.value->>'type' AS name FROM {entries} ORDER BY 1) AS named)"
    )
