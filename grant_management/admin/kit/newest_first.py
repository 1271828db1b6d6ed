"""Django's list for a table that grows: in the order of the primary key, page by page by key.

Django's own pages count what they skip, so each next page costs more than the one before.
"""

from typing import Any, Final

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from ...db.counting import shown_number
from ...db.keyset import Cursor, Ordered, page_of

ORDER: Final = ("-pk",)
CURSORS: Final = ("after", "before")


class NewestFirst(ChangeList):
    """A list without any order but this, whatever the query says."""

    def get_ordering_field(self, field_name: Any) -> None:
        """None: no column sorts the list."""

    def get_filters_params(self, params: Any = None) -> Any:
        """The filters of the query, without the cursors of pages."""
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in CURSORS}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """A query string of the first page, unless the new parameters have a cursor."""
        return super().get_query_string(new_params, [*(remove or ()), *CURSORS])

    def get_results(self, request: HttpRequest) -> None:
        """The rows of one page, the bounded count of all, and the links to the pages beside it."""
        cursor = Cursor.read(self.model, ORDER, request.GET)
        page = page_of(Ordered(self.queryset, ORDER, self.apply_select_related), cursor, None)
        self.result_list, self.result_count = page.rows, page.count
        self.full_result_count, self.show_full_result_count = None, False
        self.multi_page = self.can_show_all = False
        self.show_admin_actions = True
        self.shown_count = shown_number(page.count)
        self.next = self.get_query_string({"after": page.next}) if page.next else ""
        self.previous = self.get_query_string({"before": page.previous}) if page.previous else ""
