"""The view, the URLs and the request of the page about devices, bound tokens and metadata, in the
project of the how-to.
"""

import json
import subprocess
import sys

from ..standalone import ROOT, environment
from .page import blocks

SETTINGS = """
OAUTH2_PROVIDER["SCOPES"]["read"] = "Read your accounts"
OAUTH2_PROVIDER["OAUTH_DEVICE_VERIFICATION_URI"] = "http://127.0.0.1:8000/o/device/"
"""
"""What the page says in words."""
CALLS = """
import base64, json, sys
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.test import Client as HTTP
from django.utils import timezone
from grant_management import lifecycle
from grant_management.contrib.oauth_toolkit import bridge
from grant_management.protocol.content import Content
from oauth2_provider.models import AccessToken, Application

ann = get_user_model().objects.create_user("ann")
app = Application.objects.create(name="TV", client_id="tv", client_secret="secret",
    client_type="confidential",
    authorization_grant_type="urn:ietf:params:oauth:grant-type:device_code")
http = HTTP(SERVER_NAME="127.0.0.1", SERVER_PORT="8000")
for scope in ("read", "grant_management_query"):
    AccessToken.objects.create(token=f"t-{scope}", user=ann, application=app, scope=scope,
        expires=timezone.now() + timedelta(hours=1))

def seen(answer):
    kind = answer.get("Content-Type", "")
    return [answer.status_code, answer.json() if "json" in kind else answer.get("WWW-Authenticate")]

def accounts(**headers):
    return seen(http.get("/accounts/", headers=headers))

said = {"read": accounts(authorization="Bearer t-read"), "none": accounts(),
    "other": accounts(authorization="Bearer t-grant_management_query")}
said["metadata"] = seen(http.get("/.well-known/oauth-authorization-server"))
given = json.loads(REQUEST)
begun = lifecycle.begin(bridge.client(app), str(ann.pk), "create", "")
grant = lifecycle.complete(begun, Content(), active=True)
basic = base64.b64encode(b"tv:secret").decode()
body = given["body"].replace("client_id=…", "client_id=tv").replace("grant_id=…", f"grant_id={grant.grant_id}")
said["device"] = seen(http.post(given["path"], body, given["type"],
    headers={"authorization": given["authorization"].replace("…", basic)}))
print(json.dumps(said))
"""


def manage(folder, *arguments):
    line = [sys.executable, "manage.py", *arguments]
    env = environment(PYTHONPATH=str(ROOT))
    done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(folder, pages):
    """The files that the pages say, as they say them."""
    for page in pages:
        for block in page:
            if block.file:
                path, appended = block.file
                with (folder / path).open("a" if appended else "w") as stream:
                    stream.write("\n" + block.text + "\n")


def request_of(page):
    """The page's request, as data."""
    (block,) = (one for one in page if one.language == "http")
    head, _, body = block.text.partition("\n\n")
    first, *lines = head.splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    return {
        "path": first.split()[1],
        "authorization": headers["Authorization"],
        "type": headers["Content-Type"],
        "body": body,
    }


def test_the_page_in_the_project_of_the_how_to(seen_once, tmp_path):
    line = [sys.executable, "-m", "django", "startproject", "mysite", str(tmp_path)]
    subprocess.run(line, check=True, env=environment())
    page = blocks("reference/oauth-toolkit-tokens.md")
    written(tmp_path, [blocks("how-to/oauth-toolkit.md"), page])
    with (tmp_path / "mysite" / "settings.py").open("a") as stream:
        stream.write(SETTINGS)
    manage(tmp_path, "migrate", "-v", "0")
    manage(tmp_path, "setup_grant_management")
    request = f"REQUEST = {json.dumps(request_of(page))!r}\n"
    said = json.loads(manage(tmp_path, "shell", "-v", "0", "-c", request + CALLS).splitlines()[-1])
    assert said["read"] == [200, {"owner": "ann"}]
    assert said["none"] == [401, "Bearer"]
    assert said["other"] == [403, 'Bearer error="insufficient_scope", scope="read"']
    status, metadata = said["metadata"]
    assert status == 200
    assert metadata["grant_management_endpoint"].startswith("http://127.0.0.1:8000/gm/")
    assert metadata["device_authorization_endpoint"].endswith("/o/device-authorization/")
    status, device = said["device"]
    assert status == 200, device
    assert device["verification_uri"] == "http://127.0.0.1:8000/o/device/"
