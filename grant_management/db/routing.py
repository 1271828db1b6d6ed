"""The router that sends the app's models to the database in view (`apart`)."""

from typing import Any, Final

from django.db import models

from .apart import FIRST, OURS, VIEW, NotInView, database_of, databases, first, is_on


class Router:
    """Stands first in `DATABASE_ROUTERS` where there is a map; without one it says nothing."""

    follows_view: Final = True
    """Tells it from the host's other routers, which say where the first database is."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        """The same as for writing: nothing is read from elsewhere."""
        return self.db_for_write(model, **hints)

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        """The alias; None: not a model of the app, or there is no map.

        NotInView: no service is in view, or the row is of a service of another database.
        """
        if model._meta.app_label != OURS or not is_on():
            return None
        name, about = str(model._meta.model_name), hints.get("instance")
        if name in FIRST:
            return first()
        if name == "service":
            return _of_services(about)
        return _of_owned(model, about)

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool | None:
        """Rows of the app may refer to each other: each database has copies of what they need."""
        ours = one._meta.app_label == other._meta.app_label == OURS
        return True if ours and is_on() else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """The app's tables are in every database of the map; no other app's are in one of them."""
        if not is_on():
            return None
        if app_label == OURS:
            return db in databases()
        return False if db in databases()[1:] else None


def _of_owned(model: type[models.Model], about: models.Model | None) -> str:
    view = VIEW.get()
    if view is None or not view.has_services:
        raise NotInView(f"No service is in view, and {model.__name__} is what services own.")
    _check_owner(about, view.alias)
    return view.alias


def _of_services(about: models.Model | None) -> str:
    """Of services there are copies: the one in view is read, or the one beside `about`."""
    if about is not None and about._meta.model_name in FIRST:
        return about._state.db or first()
    view = VIEW.get()
    alias = first() if view is None else view.alias
    if view is None or view.has_services:
        _check_owner(about, alias)
    return alias


def _check_owner(about: models.Model | None, alias: str) -> None:
    """NotInView: the row, or the service that it is, belongs to another database."""
    if about is None or about._meta.app_label != OURS or about._meta.model_name in FIRST:
        return
    is_service = about._meta.model_name == "service"
    number = about.__dict__.get("id" if is_service else "service_id")
    if number is not None and database_of(number) != alias:
        raise NotInView(f"Service {number} is in another database than the one in view.")
