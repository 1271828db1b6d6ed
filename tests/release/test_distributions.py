"""The wheel and the sdist: what is in them, what PyPI will show, and that little is needed."""

import json
import os
import re
import subprocess
import tarfile
import zipfile
from email import message_from_bytes

import pytest
from cryptography.fernet import Fernet
from django.core.management import find_commands

from grant_management.conformance.checks import CHECKS

from ..authority import members, serving
from ..distribution import ROOT, run
from ..docs.pages import typed

MINIMAL = """
SECRET_KEY = "only-for-this-test"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "grant_management"]
MIDDLEWARE = ["grant_management.middleware.JSONErrorsMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
DATABASES["default"]["OPTIONS"] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=EXTRA",
}
"""
KEYS = ("ENCRYPTION_KEYS", "EVENT_SIGNING_KEYS")
CLIENT = {"type": "client", "service": 1001, "client_id": "app-1"}
NAMED = ["--service", "1001", "--client", "app-1"]
COMMANDS = [
    ["create_organization", "Example Bank", "--id", "1"],
    ["create_service", "--organization", "1", "--name", "Retail", "--id", "1001"],
    ["issue_api_token", "--service", "1001"],
    ["export_grants", "--output", "grants.jsonl"],
    ["import_grants", "grants.jsonl"],
    ["import_grants", "clients.jsonl"],
    ["lock_client", *NAMED],
    ["unlock_client", *NAMED],
    ["set_cut_off", *NAMED],
    ["publish_events", "--service", "1001"],
    ["export_events", "--service", "1001"],
    ["export_event_head", "--service", "1001"],
    ["verify_events"],
    ["rotate_signing_key", "--service", "1001"],
    ["reencrypt_secrets"],
    ["deliver_events", "--once"],
    ["revoke_grants", "--service", "1001", "--subject", "u-1", "--dry-run"],
    ["purge_expired"],
    ["copy_services"],
]
"""All but `revoke_api_token`, which needs the ID of a token, and two that exit with 1 here."""


@pytest.fixture(scope="module")
def names(wheel):
    return zipfile.ZipFile(wheel).namelist()


@pytest.fixture(scope="module")
def metadata(wheel, names):
    (name,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(zipfile.ZipFile(wheel).read(name))


def test_wheel_holds_the_app_and_nothing_else(names):
    assert "grant_management/templates/admin/grant_management/action.html" in names
    assert "grant_management/py.typed" in names
    pages = "grant_management/contrib/self_service"
    assert f"{pages}/templates/grant_management_self_service/apps.html" in names
    assert f"{pages}/static/grant_management_self_service/apps.css" in names
    assert {f"{pages}/locale/{one}/LC_MESSAGES/django.mo" for one in ("de", "ja")} <= set(names)
    openapi = "grant_management/contrib/openapi"
    assert f"{openapi}/templates/grant_management_openapi/page.html" in names
    assert f"{openapi}/examples.json" in names
    assert "grant_management/migrations/0001_initial.py" in names
    tops = {name.split("/")[0].partition("-")[0] for name in names}
    assert tops == {"grant_management", "django_grant_management"}


def test_sdist_holds_documents_and_tests(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = [
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "run.py",
        "noxfile.py",
        "requirements-dev.lock",
    ]
    wanted += [str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md")]
    wanted += [str(path.relative_to(ROOT)) for path in ROOT.glob("tests/**/*.py")]
    assert set(wanted) - names == set()
    assert not [name for name in names if name.startswith((".venv", ".git/"))]


def test_links_that_pypi_shows_lead_somewhere(metadata):
    """To the repository, as it was at this version; and there is such a file."""
    links = re.findall(r"\]\(([^)]*)\)", metadata.get_payload())
    assert len(links) > 10
    base = re.escape(dict(urls(metadata))["Repository"])
    version = re.escape(metadata["Version"])
    for link in links:
        path = re.fullmatch(rf"{base}/(?:blob|raw)/v{version}/([^#]+)(?:#[\w-]+)?", link)
        assert path or not link.startswith(base), link
        assert re.match(r"https?://", link), link
        assert path is None or (ROOT / path[1]).exists(), link


def urls(metadata):
    return [one.split(", ", 1) for one in metadata.get_all("Project-URL")]


def test_one_address(metadata):
    """The addresses of the project have one host, which a release replaces at each place."""
    text = (ROOT / "pyproject.toml").read_text()
    hosts = set(re.findall(r"(?:https://|@)([\w.-]+\.[a-z]+)\b", text))
    assert len(hosts) == 1
    assert {"Repository", "Documentation", "Changelog", "Issues", "Security"} == dict(
        urls(metadata)
    ).keys()


def test_extras(metadata):
    extras = {"postgres", "oauth-toolkit", "allauth", "conformance", "logos", "openapi"}
    extras |= {"prometheus", "otel"}
    assert extras <= set(metadata.get_all("Provides-Extra"))
    needed = [one for one in metadata.get_all("Requires-Dist") if "extra ==" not in one]
    assert {re.match(r"[\w-]+", one)[0] for one in needed} == {
        "django",
        "djangorestframework",
        "pyjwt",
        "cryptography",
        "tzdata",
    }


def test_commands_need_no_rich(installed, tmp_path):
    """Each of the commands, in an environment that has the wheel alone."""
    keys = {name: [Fernet.generate_key().decode()] for name in KEYS}
    (tmp_path / "settings.py").write_text(f"{MINIMAL}\nGRANT_MANAGEMENT = {keys}\n")
    (tmp_path / "clients.jsonl").write_text(json.dumps(CLIENT))
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "settings"}
    environment |= {"PYTHONPATH": ".", "PYTHONWARNINGS": "error"}
    assert (
        run(installed, "-c", "from importlib.util import find_spec as f; print(f('rich'))")
        == "None\n"
    )
    here = {"cwd": tmp_path, "env": environment}
    django = (installed, "-m", "django")
    run(*django, "migrate", "-v", "0", **here)
    said = {name: run(*django, name, *more, **here) for name, *more in COMMANDS}
    token_id = re.search(r"[0-9a-f-]{36}", said["issue_api_token"])[0]
    run(*django, "revoke_api_token", token_id, **here)
    # It exits with 1 for what it finds, such as the Python of this machine.
    found = subprocess.run([*django, "doctor"], capture_output=True, text=True, **here)
    assert (found.returncode, found.stderr) in ((0, ""), (1, ""))
    # SQLite is no Citus.
    refused = subprocess.run([*django, "distribute"], capture_output=True, text=True, **here)
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False), refused.stderr
    ours = find_commands(str(ROOT / "grant_management" / "management"))
    assert sorted({*said, "revoke_api_token", "doctor", "distribute"}) == sorted(ours)


def test_conformance_needs_no_rich(installed, tmp_path):
    """As text then: here that there is no config."""
    line = [installed, "-m", "grant_management.conformance", "server.toml"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "server.toml" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_conformance_suite_as_installed(installed_with_conformance, tmp_path):
    """From an empty folder, with no Django set-up: every check, and what its report says."""
    program = installed_with_conformance.parent / "grant-management-conformance"
    environment = {"PATH": os.environ["PATH"]}
    with serving() as server:
        text = "".join(f"{name} = {json.dumps(one)}\n" for name, one in members(server).items())
        (tmp_path / "server.toml").write_text(text)
        _name, *arguments = typed("how-to/conformance.md", program.name).split()
        said = run(program, *arguments, cwd=tmp_path, env=environment)
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert report["complete"]
    assert report["counts"]["failed"] == 0
    assert {one["number"] for one in report["checks"]} == {one.number for one in CHECKS}
    assert f"{report['counts']['passed']} passed" in said
    written = {"server.toml", "report.json", "report.xml"}
    assert {path.name for path in tmp_path.iterdir()} == written
