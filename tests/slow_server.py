"""The standalone server with views of its own: one is slow."""

import time

from django.http import HttpResponse

from gm_project.serving import server
from gm_project.wsgi import Slots, settings


def _answer(environ, start_response):
    name = environ["PATH_INFO"].rpartition("/")[2]
    time.sleep(3 if name == "slow" else 0)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return HttpResponse(name)


application = Slots(_answer, settings.CALLS_AT_ONCE, settings.PAGES_AT_ONCE)

if __name__ == "__main__":
    server.APPLICATION = "tests.slow_server:application"
    server.main()
