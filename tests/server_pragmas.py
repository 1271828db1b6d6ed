"""A WSGI application for a test: what the server's own connection is set to."""

import json

from django.db import connection

from gm_project.wsgi import application as project

__all__ = ["application", "project"]


def application(environ, start_response):
    with connection.cursor() as cursor:
        names = ("journal_mode", "synchronous")
        said = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in names}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]
