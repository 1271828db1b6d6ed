"""The methods beside GET and POST, through the real server: streams are managed with them."""

import http.client
import json
from contextlib import closing

import pytest
from cryptography.fernet import Fernet

from ..standalone import API_TOKEN, manage, serving

pytestmark = pytest.mark.usefixtures("once")
ALLOW = """
from grant_management.models import ApiToken
ApiToken.objects.update(can_manage_streams=True)
"""


def test_streams_are_managed(url):
    env = {"GRANT_MANAGEMENT": json.dumps({"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]})}
    manage("shell", "-v", "0", "-c", ALLOW, DATABASE_URL=url, **env)
    with serving(url, **env) as port:

        def ask(method, query="", token=API_TOKEN, path="/api/1001/ssf/streams", **members):
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            made = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            with closing(made) as connection:
                body = json.dumps(members) if members else None
                connection.request(method, path + query, body, headers)
                answer = connection.getresponse()
                said = answer.read()
                return answer.status, json.loads(said) if said else None

        status, made = ask("POST", events_requested=[], description="first")
        assert status == 201
        one = {"stream_id": made["stream_id"]}
        status, patched = ask("PATCH", **one, description="second")
        assert (status, patched["description"]) == (200, "second")
        status, replaced = ask("PUT", **one)
        assert (status, replaced["description"]) == (200, "")
        query = f"?stream_id={made['stream_id']}"
        assert ask("GET", query) == (200, replaced)
        assert ask("DELETE", query) == (204, None)
        assert ask("GET", query)[0] == 404
        assert ask("DELETE", query)[0] == 404
        assert ask("DELETE", token="t-1", path="/gm/1001/g-1") == (204, None)
        for method in ("PATCH", "PUT"):
            assert ask(method, token="t-1", path="/gm/1001/g-1", x=1)[0] == 405
