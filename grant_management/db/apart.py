"""Services that live apart: which database each is in, and which one the code at hand is about.

`SERVICE_DATABASES` maps services to databases; without it nothing here does anything. The first
database, which the app has without the map, keeps what is looked up before a service is known:
organizations, API tokens, the rights and choices of operators, and a copy of each service. All
that a service owns is in its own database. Whoever begins to work says once what it is about: a
service, a database, or the first one; the models and `primary` follow. Where nobody said it, what a
service owns cannot be reached at all.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache, wraps
from typing import Final, NamedTuple, ParamSpec, TypeVar

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, models, router

from ..conf import app_settings

P = ParamSpec("P")
T = TypeVar("T")

OURS: Final = "grant_management"
FIRST: Final = frozenset(
    {
        "organization",
        "organizationevent",
        "organizationmember",
        "apitoken",
        "operatorpreference",
        "listcolumns",
        "savedview",
    }
)
"""The models whose rows are in the first database alone, but for copies that foreign keys need."""


class NotInView(RuntimeError):
    """A row was to be read or written in a database that the code at hand is not about."""


class View(NamedTuple):
    """A database, and whether what services own may be reached there."""

    alias: str
    has_services: bool


VIEW: Final = ContextVar[View | None]("VIEW", default=None)
"""What is in view; None: nothing was said."""
_NOTHING: Final = nullcontext()


def is_on() -> bool:
    """Whether there is a map."""
    return bool(app_settings.service_databases)


def first() -> str:
    """The alias of the first database: that of the host's other routers, or the default one."""
    for one in router.routers:
        ask = getattr(one, "db_for_write", None)
        if ask and not hasattr(one, "follows_view") and (alias := ask(_any_model())):
            return str(alias)
    return DEFAULT_DB_ALIAS


def database_of(service_id: int) -> str:
    """The alias of the database that a service is in, or would be in."""
    return app_settings.service_databases.get(service_id) or first()


def lives_apart(service_id: int) -> bool:
    """Whether the service's database is another than the first."""
    return is_on() and database_of(service_id) != first()


def databases() -> list[str]:
    """The aliases of all databases that services are in, the first one first."""
    known = first()
    return [known, *sorted(set(app_settings.service_databases.values()) - {known})]


def service(service_id: int) -> AbstractContextManager[None]:
    """In this context a service is in view: its database alone."""
    return _shown(View(database_of(service_id), True)) if is_on() else _NOTHING


def of(row: models.Model) -> AbstractContextManager[None]:
    """In this context a service is in view, or for an organization the first database."""
    return service(row.pk) if row._meta.model_name == "service" else first_alone()


def database(alias: str) -> AbstractContextManager[None]:
    """In this context the services of a database are in view."""
    return _shown(View(alias, True)) if is_on() else _NOTHING


def first_alone() -> AbstractContextManager[None]:
    """In this context the first database is in view, without what services own."""
    return _shown(View(first(), False)) if is_on() else _NOTHING


def nothing() -> AbstractContextManager[None]:
    """In this context nothing is in view: whatever begins here has to say what it is about."""
    return _shown(None) if is_on() else _NOTHING


def in_first(work: Callable[P, T]) -> Callable[P, T]:
    """Decorates what changes rows of the first database alone."""

    @wraps(work)
    def done(*args: P.args, **kwargs: P.kwargs) -> T:
        with first_alone():
            return work(*args, **kwargs)

    return done


def carried(work: Callable[P, T]) -> Callable[P, T]:
    """The work with what is in view now, for another thread, which would begin with nothing."""
    view = VIEW.get()

    def done(*args: P.args, **kwargs: P.kwargs) -> T:
        with _shown(view):
            return work(*args, **kwargs)

    return done


def in_view() -> str | None:
    """The alias of the database in view; None: there is no map. NotInView: none is."""
    if not app_settings.service_databases:
        return None
    view = VIEW.get()
    if view is None:
        raise NotInView("No service is in view: see grant_management.db.apart.")
    return view.alias


def is_away() -> bool:
    """Whether another database than the first is in view."""
    view = VIEW.get() if app_settings.service_databases else None
    return view is not None and view.alias != first()


def hidden() -> list[int]:
    """The services of which the database in view has copies alone."""
    view = VIEW.get() if app_settings.service_databases else None
    if view is None or not view.has_services or view.alias != first():
        return []
    return [key for key, alias in app_settings.service_databases.items() if alias != view.alias]


@contextmanager
def _shown(view: View | None) -> Iterator[None]:
    token = VIEW.set(view)
    try:
        yield
    finally:
        VIEW.reset(token)


@cache
def _any_model() -> type[models.Model]:
    return apps.get_model(OURS, "Service")
