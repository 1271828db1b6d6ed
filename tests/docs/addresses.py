"""The URL paths that pages name, such as `/api/{serviceId}/auth/gm`."""

import re

PATH = re.compile(
    r"(?:(?:GET|HEAD|POST|DELETE) )?"
    r"(/api/\S+|/gm/\S+/\S+|/admin/\S*|/\.well-known/\S+|/livez|/readyz)"
)
VALUES = {
    "serviceId": "1001",
    "service_id": "1001",
    "clientId": "none",
    "grantId": "none",
    "token": "none",
    "grant_id": "none",
    "id": "1",
    "operation": "create",
}


def path_of(code):
    """The path that inline code names, with a value for each placeholder; None: it names none."""
    named = PATH.fullmatch(code.strip())
    if named is None or "…" in code:
        return None
    return re.sub(r"\{(\w+)\}", lambda one: VALUES[one[1]], named[1])
