"""A project that was not made for the app: its own users, prefix and admin, and a REST_FRAMEWORK that
would break the app's views if they used it. `HOST` in the environment has changes to it, as JSON.
"""

import json
import os
from pathlib import Path

SECRET_KEY = "only-for-this-test"
ALLOWED_HOSTS = ["host.example"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.admin",
    "rest_framework",
    "people",
    "grant_management",
]
AUTH_USER_MODEL = "people.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIDDLEWARE = [
    "grant_management.middleware.JSONErrorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.TemplateHTMLRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FileUploadParser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
    "EXCEPTION_HANDLER": "nowhere.handler",
}
STATIC_URL = "static/"


def database(name):
    """A database beside the project, with what README says of SQLite."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(__file__).parent / f"{name}.sqlite3",
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=EXTRA",
        },
    }


_changes = json.loads(os.environ["HOST"])
DATABASES = {name: database(name) for name in _changes.pop("databases", ["default"])}
DATABASES |= _changes.pop("more_databases", {})
MIDDLEWARE += _changes.pop("last_middleware", [])
globals().update(_changes)
