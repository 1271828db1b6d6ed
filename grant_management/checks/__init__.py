"""System checks of the settings and of the database, before the first request."""

from . import database, deploy, deploy_database, settings

__all__ = ["database", "deploy", "deploy_database", "settings"]
