"""The app in a database of its own."""

OURS = "grant_management"


class Router:
    def db_for_read(self, model, **hints):
        return "grants" if model._meta.app_label == OURS else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (db == "grants") == (app_label == OURS)
