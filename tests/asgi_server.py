"""The project behind ASGI, as a host may run it: `python -m tests.asgi_server HOST PORT WORKERS`."""

import os
import sys

from django.core.asgi import get_asgi_application
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gm_project.settings")
application = get_asgi_application()

if __name__ == "__main__":
    _, host, port, workers = sys.argv
    Server(
        "tests.asgi_server:application",
        address=host,
        port=int(port),
        interface=Interfaces.ASGI,
        workers=int(workers),
        log_level=LogLevels.warning,
    ).serve()
