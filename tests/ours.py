"""The connection to the database that the services are in: not the default one in a `--routed` or
an `--apart` run.
"""

from django.conf import settings
from django.db import connections
from django.utils.connection import ConnectionProxy

OURS = next((name for name in ("grants", "apart") if name in settings.DATABASES), "default")
connection = ConnectionProxy(connections, OURS)
