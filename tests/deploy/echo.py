"""A WSGI application that answers with what it was sent: what a proxy hands on."""

import json
import time


def application(environ, start_response):
    """The headers as WSGI names them; at `/slow`, after two seconds."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(2)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    told = {name: value for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT"))}
    answer = json.dumps(told | {"REMOTE_ADDR": environ["REMOTE_ADDR"], "size": len(body)}).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [answer]
