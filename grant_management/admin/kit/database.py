"""Which database a page shows, where services live apart (`db.apart`): one at a time.

It is that of the row or the service that the page is about, or that its address or its form names;
on other pages the one that was shown last. Organizations, API tokens and operators are shown in any
case.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import Error, models
from django.http import HttpRequest

from ...db import apart, primary, replica
from ...db.failures import settle
from ...db.postgresql.longer import longer_statements
from ...fields.members import MAX_ID

CHOSEN: Final = "grant_management_database"
"""The key in the operator's session, and in the query of a page that changes it."""


def number(text: str) -> int | None:
    """A service's number from a query string; None: no service can have such a number."""
    is_short = len(text) <= len(str(MAX_ID)) and text.isdecimal()
    return int(text) if is_short and int(text) <= MAX_ID else None


def shown_database(
    request: HttpRequest, model: type[models.Model] | None, key: str
) -> AbstractContextManager[None]:
    """In this context the services of one database are in view. `key` is that of the page's row;
    `model`: what the page is about, if it is of this app.
    """
    if not apart.is_on() or not request.user.is_staff:
        return nullcontext()
    name = str(model._meta.model_name) if model is not None else ""
    alias = _named(request, name, key) or _with_row(request, model, key)
    if alias is None:
        alias = request.session.get(CHOSEN)
    elif alias != request.session.get(CHOSEN):
        request.session[CHOSEN] = alias
    return _shown(alias if alias in apart.databases() else apart.first())


@contextmanager
def _shown(alias: str) -> Iterator[None]:
    """With as much time for a statement as the first database gives to pages."""
    with apart.database(alias):
        seconds = replica.SECONDS.get() if apart.is_away() else None
        with longer_statements(primary.connection(), seconds) if seconds else nullcontext():
            yield


def databases(request: HttpRequest) -> list[tuple[str, bool]]:
    """The aliases, and whether each is the one that this page shows; [] without a map."""
    if not apart.is_on():
        return []
    chosen = request.session.get(CHOSEN)
    shown = chosen if chosen in apart.databases() else apart.first()
    return [(alias, alias == shown) for alias in apart.databases()]


def _with_row(request: HttpRequest, model: type[models.Model] | None, key: str) -> str | None:
    """The database that has the page's row: that which was shown last is asked first. None: none
    has, or it is of the first database alone.
    """
    if model is None or not key or model._meta.model_name in apart.FIRST:
        return None
    last = request.session.get(CHOSEN)
    for alias in sorted(apart.databases(), key=lambda one: one != last):
        try:
            if model._base_manager.using(alias).filter(pk=unquote(key)).exists():
                return alias
        except (ValueError, ValidationError):  # no key of such a row
            return None
        except Error as error:  # it is away; the row may be in another one
            settle(error, alias)
    return None


def _named(request: HttpRequest, model: str, key: str) -> str | None:
    """The database that the request says; None: it says none."""
    given: Any = request.POST if request.method == "POST" else request.GET
    names = (key if model == "service" else "", given.get("service"), request.GET.get("service"))
    for one in names:
        service = number(one or "")
        if service is not None:
            return apart.database_of(service)
    asked = request.GET.get(CHOSEN)
    return asked if asked in apart.databases() else None
