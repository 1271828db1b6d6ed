"""Each how-to and tutorial, as its reader follows it."""

import json
import os
import re
import secrets
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from ..standalone import RECORDS, environment, free_port
from .conftest import pip_of, run
from .consenting import allow, allow_at_allauth, consent
from .page import blocks
from .reader import PORT


@pytest.mark.parametrize(
    ("page", "at"),
    [("how-to/oauth-toolkit.md", allow), ("how-to/allauth.md", allow_at_allauth)],
)
def test_bridge(reader, page, at):
    """From an empty folder and the wheel to DELETE 204. The password is typed at a terminal."""
    password = secrets.token_urlsafe(12)
    silent = f"DJANGO_SUPERUSER_PASSWORD={password} python manage.py createsuperuser --noinput --username ann --email ann@example.com"
    here = " --base-url http://127.0.0.1:8000"  # which is another port here
    commands = ("manage.py setup_grant_management", "manage.py try_grant_management")
    replaced = {"python manage.py createsuperuser": silent} | {one: one + here for one in commands}
    made = reader(at_address=at("ann", password), replaced=replaced)
    made.follow(page)


def test_third_bridge(reader):
    """A server with Authlib, from an empty folder and the wheel."""
    reader().follow("how-to/third-bridge.md")


def test_first_revoke(reader):
    """From an empty folder; and its server is asked from any other language."""
    made = reader()
    made.follow("tutorials/first-revoke.md")
    (call,) = (one for one in blocks("how-to/authlete-other-languages.md") if one.is_shell)
    made.take(call)
    assert "A279306" in made.said


@pytest.mark.xdist_group("node")
def test_authlete_typescript(reader, checkout):
    if shutil.which("npm") is None:
        message = "needs node and npm"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    paste = "last() { grep -h . .log-* | tail -n 1; }; until last | grep -q '^export BASE_URL='; do sleep 0.2; done; eval \"$(last)\""
    shown = "export BASE_URL=… API_TOKEN=… SERVICE_ID=… GRANT_ID=… ACCESS_TOKEN=…"
    clone = 'git clone --quiet "$REPOSITORY" grant-management'
    assert checkout.name == "grant-management"  # what the command would make
    reader(replaced={shown: paste, clone: ":"}).follow("how-to/authlete-typescript.md")


def test_authlete_python(reader, checkout):
    reader(checkout).follow("how-to/authlete-python.md")


def test_emulator_in_ci(reader, checkout):
    reader(checkout).follow("how-to/emulator-in-ci.md")


@pytest.mark.parametrize("host", ["GitHub", "GitLab"])
def test_emulator_in_ci_as_a_job(seen_once, packages, repository, tmp_path, host):
    """The commands of the job's file, each as it is there, in the repository of the tests: the page
    as a script. The host's own part, which reads the file and checks out, is not here.
    """
    commands = [one.text for one in blocks(EMULATOR) if one.is_shell]
    script = tmp_path / "ci" / "emulator.sh"
    script.parent.mkdir()
    text = "\n".join(["set -euo pipefail", "cd grant-management", *commands])
    script.write_text(text.replace(PORT, str(free_port())))
    variables = {"GRANT_MANAGEMENT_REPOSITORY": str(repository)}
    said = [
        run("bash", "-e", "-c", line, cwd=tmp_path, env=environment(**pip_of(packages), **env))
        for line, env in COMMANDS_OF[host](job_of(host), variables)
    ]
    assert [one for one in said if one.strip().endswith("NO_CONTENT")]
    assert (tmp_path / "grant-management" / "server.log").read_text()
    assert not list((tmp_path / "grant-management").glob("ci.sqlite3*"))


EMULATOR = "how-to/emulator-in-ci.md"


def job_of(host):
    (block,) = (one for one in blocks(EMULATOR) if one.mark == f"not run: needs {host}")
    return yaml.safe_load(block.text)["jobs" if host == "GitHub" else "test"]


def commands_of_github(jobs, variables):
    """Each command with its variables; that for a failure, too."""
    for step in jobs["test"]["steps"]:
        named = {name: VARIABLE.fullmatch(text)[1] for name, text in step.get("env", {}).items()}
        if "run" in step:
            yield step["run"], {name: variables[one] for name, one in named.items()}


def commands_of_gitlab(job, variables):
    """Each line with all variables, then a look at each file that a failure keeps."""
    for line in job["script"]:
        yield line, variables
    for path in job["artifacts"]["paths"]:
        yield f"test -s {path}", {}


VARIABLE = re.compile(r"\$\{\{ vars\.(\w+) \}\}")
COMMANDS_OF = {"GitHub": commands_of_github, "GitLab": commands_of_gitlab}


def test_authorization_server(reader):
    """From `django-admin startproject`, by the wheel."""
    made = reader(typed={"CODE": consent, "MORE": consent})
    made.follow("tutorials/authorization-server.md")


def imported(checkout, *records):
    """A store with a service, a client, and these records."""
    path = checkout / "records.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in [*RECORDS[:4], *records]))
    for line in (["migrate", "-v", "0"], ["import_grants", "records.jsonl"]):
        run("python3", "run.py", "manage", *line, cwd=checkout, env=environment())


def grant(number, **members):
    known = {"type": "grant", "service": 1001, "client_id": "app-1", "grant_id": f"g-{number}"}
    return known | {"subject": f"user-{number}", "scopes": [{"scope": "contacts"}]} | members


def test_auditor(reader, checkout):
    token = {"type": "access_token", "grant_id": "g-1", "token": "t-of-the-auditor", "scopes": []}
    token |= {"service": 1001, "client_id": "app-1", "subject": "user-1"}
    imported(checkout, grant(1), token)
    reader(checkout, env={"TOKEN": "t-of-the-auditor"}).follow("how-to/auditor.md")


def test_incident(reader, checkout):
    """After the first cut-off `user-2` consents again."""
    imported(checkout, grant(1))
    made = reader(checkout)
    for block in blocks("how-to/incident.md"):
        if "user-2" in block.text:
            imported(checkout, grant(2))
        made.take(block)


MOVED = """
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken
user = get_user_model().objects.create_user("ann")
app = Application.objects.create(name="Budget App", client_id="app-1", client_type="confidential",
    authorization_grant_type="authorization-code", redirect_uris="https://app.example/")
later = timezone.now() + timedelta(hours=1)
both = {"user": user, "application": app}
alive = AccessToken.objects.create(token="t-alive", scope="read write", expires=later, **both)
AccessToken.objects.create(token="t-expired", scope="admin", expires=timezone.now(), **both)
RefreshToken.objects.create(token="r-alive", access_token=alive, **both)
RefreshToken.objects.create(token="r-revoked", revoked=timezone.now(), **both)
"""
SEEN = """
from grant_management.db import clock
from grant_management.models import AccessToken, Grant, RefreshToken, Service
service, grant = Service.objects.get(), Grant.objects.select_related("client", "service").get()
print(grant.content(), grant.status(clock.now()).value)
for model, value in ((AccessToken, "t-alive"), (RefreshToken, "r-alive")):
    token = model.objects.presented(service, value)
    print(token.status(clock.now()).name, token.grant == grant, token.scopes)
"""


def test_moving_in(reader, checkout, tmp_path):
    """From the toolkit: what is alive there is alive here, by its own value."""
    old = tmp_path / "old"
    old.mkdir()
    env = environment()
    run(sys.executable, "-m", "django", "startproject", "mysite", old, env=env)
    with (old / "mysite" / "settings.py").open("a") as stream:
        stream.write("INSTALLED_APPS += ['oauth2_provider']\n")
    for line in (["migrate", "-v", "0"], ["shell", "-v", "0", "-c", MOVED]):
        run(sys.executable, "manage.py", *line, cwd=old, env=env)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    made = reader(env={"OLD": str(old), "NEW": str(checkout), "PATH": path})
    with_folder = next(one for one in blocks("how-to/moving-in.md") if one.file)
    (old / "moving_out.py").write_text(with_folder.text)
    made.follow("how-to/moving-in.md")
    said = run("python3", "run.py", "manage", "shell", "-v", "0", "-c", SEEN, cwd=checkout, env=env)
    assert said.splitlines() == [
        '{"scopes":[{"scope":"read write"}]} active',
        "ACTIVE True read write",
        "ACTIVE True read write",
    ]


def test_proxies(reader, checkout):
    reader(checkout).follow("how-to/proxies.md")
