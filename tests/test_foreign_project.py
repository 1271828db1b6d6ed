"""The app as others get it: a wheel, alone, in a project that was not made for it."""

import json
import os
import subprocess
import sys
import venv
import zipfile

import pytest

from .standalone import API_TOKEN, RECORDS, ROOT

SETTINGS = """
from pathlib import Path
SECRET_KEY = "only-for-this-test"
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.admin", "rest_framework", "people", "grant_management",
]
AUTH_USER_MODEL = "people.Person"
MIDDLEWARE = [
    "grant_management.middleware.JSONErrorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "urls"
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
DATABASES = {"default": {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": Path(__file__).parent / "db.sqlite3",
    "ATOMIC_REQUESTS": True,
}}
USE_TZ = True
REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.TemplateHTMLRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FileUploadParser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
    "EXCEPTION_HANDLER": "nowhere.handler",
}
"""

URLS = """
from django.contrib import admin
from django.urls import include, path
urlpatterns = [
    path("backoffice/", admin.site.urls),
    path("oauth/grants/", include("grant_management.urls")),
]
"""

PEOPLE = """
import uuid
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

class People(BaseUserManager):
    def create_superuser(self, badge, password=None):
        person = self.model(badge=badge, is_superuser=True)
        person.set_password(password)
        person.save()
        return person

class Person(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    badge = models.CharField(max_length=20, unique=True)
    is_staff = True
    USERNAME_FIELD = "badge"
    objects = People()
"""

PROBE = """
import json, sys
import django
django.setup()
import grant_management
assert "site-packages" in grant_management.__file__, grant_management.__file__
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
call_command("makemigrations", "people", verbosity=0)
call_command("makemigrations", "grant_management", check=True, dry_run=True, verbosity=0)
call_command("migrate", verbosity=0)
call_command("check", fail_level="WARNING")
call_command("import_grants", sys.argv[1], verbosity=0)

def send(path, members, **headers):
    http = Client(raise_request_exception=False)
    data = members if isinstance(members, str) else json.dumps(members)
    response = http.post("/oauth/grants" + path, data, content_type="application/json", **headers)
    assert response["Content-Type"] == "application/json", (path, response.status_code)
    answer = json.loads(response.content)
    return response.status_code, answer.get("action"), answer["resultCode"]

query = {"gmAction": "QUERY", "grantId": "g-1", "accessToken": "t-1"}
token = {"HTTP_AUTHORIZATION": "Bearer " + sys.argv[2]}
said = [
    send("/api/1001/auth/gm", query, **token),
    send("//api/1001/gm", query, **token),
    send("/api/1001/gm", "[", **token),
    send("/api/1001/gm", "x" * 3_000_000, **token),
    send("/api/1001/gm", query),
    send("/api/1002/gm", query, **token),
    send("/api/nowhere", query, **token),
    send("/api/1001/gm", query, HTTP_HOST="evil.example", **token),
]
admin = Client()
admin.force_login(get_user_model().objects.create_superuser("b-1"))
from grant_management.models import Grant, GrantEvent
page = f"/backoffice/grant_management/grant/{Grant.objects.get().pk}/revoke/"
assert b"1 access token" in admin.get(page).content
assert admin.post(page, {"reason": "other"}).status_code == 302
assert GrantEvent.objects.get(kind="revoked").actor == "b-1"
said.append(send("/api/1001/gm", query, **token))
print(json.dumps(said))
"""

EXPECTED = [
    [200, "OK", "A277001"],
    [200, "OK", "A277001"],
    [400, "CALLER_ERROR", "A126202"],
    [413, None, "A001206"],
    [401, None, "A001202"],
    [403, None, "A458201"],
    [404, None, "A001208"],
    [400, "CALLER_ERROR", "A126202"],
    [200, "UNAUTHORIZED", "A280303"],
]


def run(*arguments, **options):
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr[-4_000:] + done.stdout[-1_000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, cwd=ROOT)
    return next(folder.glob("django_grant_management-*.whl"))


def test_wheel_holds_the_app_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "grant_management/templates/admin/grant_management/action.html" in names
    assert "grant_management/py.typed" in names
    assert "grant_management/migrations/0001_initial.py" in names
    tops = {name.split("/")[0].partition("-")[0] for name in names}
    assert tops == {"grant_management", "django_grant_management"}


def test_foreign_project(wheel, tmp_path):
    """Its own user model, prefix and admin; a `REST_FRAMEWORK` that would break all of it."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    project = tmp_path / "a project"
    (project / "people").mkdir(parents=True)
    (project / "people" / "__init__.py").touch()
    for name, text in (
        ("settings", SETTINGS),
        ("urls", URLS),
        ("people/models", PEOPLE),
        ("probe", PROBE),
    ):
        (project / f"{name}.py").write_text(text)
    records = project / "records.jsonl"
    records.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONWARNINGS": "error",
    }
    said = run(python, "probe.py", records, API_TOKEN, cwd=project, env=environment)
    assert json.loads(said.splitlines()[-1]) == EXPECTED
