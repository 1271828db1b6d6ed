"""The connection to the database that the app is in: not the default one in a `--routed` run."""

from django.conf import settings
from django.db import connections
from django.utils.connection import ConnectionProxy

OURS = "grants" if "grants" in settings.DATABASES else "default"
connection = ConnectionProxy(connections, OURS)
