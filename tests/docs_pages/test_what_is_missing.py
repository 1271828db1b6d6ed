"""What the page for django-oauth-toolkit adds is left out piece by piece: `check` names it."""

import json
import re
import subprocess
import sys

import pytest

from ..standalone import ROOT, environment
from .page import blocks

DEFAULTS = "from grant_management.contrib.oauth_toolkit.defaults import OAUTH2_PROVIDER\n"
TOOLKIT_URLS = "grant_management.contrib.oauth_toolkit.urls"
pytestmark = pytest.mark.usefixtures("seen_once")
APP_URLS = '    path("", include("grant_management.urls")),\n'
CHANGED = [
    ("", "", []),
    (DEFAULTS, f"{DEFAULTS}del OAUTH2_PROVIDER['OAUTH2_VALIDATOR_CLASS']\n", ["E002"]),
    (DEFAULTS, f"{DEFAULTS}del OAUTH2_PROVIDER['SCOPES']['grant_management_query']\n", ["W001"]),
    (DEFAULTS, f"{DEFAULTS}del OAUTH2_PROVIDER['SCOPES']['grant_management_revoke']\n", ["W001"]),
    (DEFAULTS, "", ["E002", "W001"]),
    (TOOLKIT_URLS, "oauth2_provider.urls", ["E003"]),
    (APP_URLS, "", ["W005"]),
]
"""What the page says, what a reader has in its place, and the findings."""


@pytest.fixture
def project(tmp_path):
    """A new project; with the blocks of the page, changed by a function."""
    django = [sys.executable, "-m", "django", "startproject", "mysite", str(tmp_path)]
    subprocess.run(django, check=True, env=environment())

    def add(change=lambda text: text):
        for block in blocks("how-to/oauth-toolkit.md"):
            if block.file:
                path, appended = block.file
                with (tmp_path / path).open("a" if appended else "w") as stream:
                    stream.write("\n" + change(block.text) + "\n")
        return tmp_path

    return add


def manage(folder, *arguments, code=0):
    line = [sys.executable, "manage.py", *arguments]
    env = environment(PYTHONPATH=str(ROOT))
    done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def named(text):
    """The numbers of the bridge's findings, without that of the installed oauthlib."""
    found = re.findall(r"grant_management_oauth_toolkit\.(\w+)", text)
    return [one for one in found if one != "W002"]


@pytest.mark.parametrize(("line", "other", "expected"), CHANGED)
def test_what_is_left_out_is_named(project, line, other, expected):
    assert any(line in block.text for block in blocks("how-to/oauth-toolkit.md"))

    def change(text):
        return text.replace(line, other) if line else text

    said = manage(project(change), "check", code=int(any(one.startswith("E") for one in expected)))
    assert named(said) == expected


def test_service_that_does_not_exist(project):
    """Before tables are there nothing is said; then the command is named, and mends it."""
    folder = project()
    assert named(manage(folder, "check", "--database", "default")) == []
    manage(folder, "migrate", "-v", "0")
    said = manage(folder, "check", "--database", "default")
    assert named(said) == ["W003"]
    assert "setup_grant_management" in said
    assert "grant_management_oauth_toolkit.W003" in manage(folder, "doctor", code=1)
    made = json.loads(manage(folder, "setup_grant_management", "--json"))
    assert json.loads(manage(folder, "setup_grant_management", "--json")) == made
    assert made["endpoint"] == f"http://127.0.0.1:8000/gm/{made['service']}"
    assert named(manage(folder, "check", "--database", "default")) == []


def test_service_of_the_setting(project):
    """The setting names the number of the new service, where another one exists already."""
    folder = project()
    with (folder / "mysite" / "settings.py").open("a") as stream:
        stream.write("GRANT_MANAGEMENT = {'OAUTH_TOOLKIT_SERVICE': 7}\n")
    manage(folder, "migrate", "-v", "0")
    manage(folder, "create_organization", "A", "--id", "1")
    manage(folder, "create_service", "--organization", "1", "--name", "B", "--id", "1001")
    said = manage(folder, "setup_grant_management", "--base-url", "https://as.example.com/")
    assert said == "Service 7. Its grants are at https://as.example.com/gm/7/{grant_id}\n"


def test_several_services(project):
    folder = project()
    manage(folder, "migrate", "-v", "0")
    manage(folder, "create_organization", "A", "--id", "1")
    for name in ("B", "C"):
        manage(folder, "create_service", "--organization", "1", "--name", name)
    assert "OAUTH_TOOLKIT_SERVICE" in manage(folder, "setup_grant_management", code=1)


def test_addresses_that_are_refused(project):
    folder = project()
    for url in ("as.example.com", "ftp://a", "https://", "https://a/?b", "https://a#b"):
        assert "--base-url" in manage(folder, "setup_grant_management", "--base-url", url, code=1)
