"""The addresses of a list: its filters and its order as a query string."""

from collections.abc import Collection
from dataclasses import dataclass

from django.http import QueryDict

from .typed import sealed

_NO_FILTERS = ("after", "before", "csrfmiddlewaretoken")


@dataclass(frozen=True)
class ListQuery:
    """The parameters of a list. Those in `texts` take any text, so no URL shows them."""

    given: QueryDict
    texts: Collection[str]

    def without(self, *names: str) -> str:
        """The query string without these parameters, and without a cursor."""
        kept = self.given.copy()
        for name in (*names, *_NO_FILTERS):
            kept.pop(name, None)
        return sealed(kept, self.texts)

    def only(self, name: str) -> str:
        """The query string with this parameter alone."""
        return self.without(*set(self.given) - {name})
