"""System checks of the settings and of the database, before the first request."""

from . import database, settings

__all__ = ["database", "settings"]
