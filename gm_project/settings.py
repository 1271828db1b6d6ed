"""Settings of the standalone project, from environment variables, with safe defaults."""

import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from gm_project.database import service_databases, timeouts, url
from gm_project.database.write_ahead import WriteAheadConnection
from gm_project.logs import configuration

BASE_DIR = Path(__file__).resolve().parent.parent


def _list(name: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def _object(name: str) -> Any:
    """The JSON value of a variable; {}: it is not set. The app's checks judge what is in it."""
    try:
        return json.loads(os.environ.get(name) or "{}")
    except ValueError:
        raise ImproperlyConfigured(f"The environment variable {name} must be JSON.") from None


def _minutes(name: str, default: str) -> float:
    """Minutes, 0 to those of a week. ImproperlyConfigured: it is something else."""
    try:
        minutes = float(os.environ.get(name) or default)
    except ValueError:
        minutes = -1
    if not 0 <= minutes <= 10_080:  # nan is not, either
        raise ImproperlyConfigured(f"{name} must be a number of minutes, 0 to 10080.")
    return minutes


_LOG_FORMAT = os.environ.get("LOG_FORMAT") or "plain"
if _LOG_FORMAT not in ("plain", "json"):
    raise ImproperlyConfigured("LOG_FORMAT must be plain or json.")
_LOG_CALLS = os.environ.get("LOG_CALLS", "").lower() in ("on", "1", "yes", "true")
LOGGING = configuration(as_json=_LOG_FORMAT == "json", calls=_LOG_CALLS)


def _port(name: str) -> int:
    """A port; 0: the variable is not set. ImproperlyConfigured: it is something else."""
    text = os.environ.get(name) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65_536):
        raise ImproperlyConfigured(f"{name} must be a port: 1 to 65535.")
    return int(text)


DEBUG = os.environ.get("DEBUG", "").lower() in ("1", "true", "yes")
# Without SECRET_KEY a process makes a key for itself: its sessions end with it, nothing else.
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(50)
ALLOWED_HOSTS = _list("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = _list("CSRF_TRUSTED_ORIGINS")

# Such as "X-Forwarded-Proto,https": how a proxy says that the request came by TLS.
_proxy_header = _list("SECURE_PROXY_SSL_HEADER")
if len(_proxy_header) == 2:
    _name = _proxy_header[0].upper().replace("-", "_").removeprefix("HTTP_")
    SECURE_PROXY_SSL_HEADER = (f"HTTP_{_name}", _proxy_header[1])
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000

INSTALLED_APPS = [
    "gm_project.apps.ProjectConfig",
    "gm_project.apps.OperatorsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "grant_management",
]

# Whether the OpenAPI document and its page are served. It needs the extra `openapi`.
API_SCHEMA = os.environ.get("API_SCHEMA", "").lower() in ("on", "1", "true", "yes")
if API_SCHEMA:
    INSTALLED_APPS += [
        "drf_spectacular",
        "drf_spectacular_sidecar",
        "grant_management.contrib.openapi",
    ]
    SPECTACULAR_SETTINGS = {"ENABLE_DJANGO_DEPLOY_CHECK": False}

_DIRECT = "grant_management.middleware.DirectAPIMiddleware"
MIDDLEWARE = [
    "grant_management.middleware.RequestIDMiddleware",
    "grant_management.middleware.JSONErrorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "gm_project.middleware.ContentSecurityPolicy",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # The API passes what stands above; pages pass what stands below, too.
    _DIRECT,
    "gm_project.middleware.DatabaseErrors",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gm_project.middleware.LongerStatements",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

# Which door this server is: "api", "admin", or both.
ONLY = os.environ.get("ONLY", "")
if ONLY not in ("", "api", "admin"):
    raise ImproperlyConfigured("ONLY must be api or admin; without it a server serves both.")
if ONLY == "api":  # what stands below DirectAPIMiddleware is for pages
    MIDDLEWARE = MIDDLEWARE[: MIDDLEWARE.index(_DIRECT) + 1]
    if API_SCHEMA:  # the page of the document has static files
        MIDDLEWARE.append("whitenoise.middleware.WhiteNoiseMiddleware")
    # The admin asks for middleware that only its pages need.
    SILENCED_SYSTEM_CHECKS = ["admin.E408", "admin.E409", "admin.E410"]

ROOT_URLCONF = "gm_project.urls"
WSGI_APPLICATION = "gm_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# `manage.py` sets it to "commands", which nothing cuts off.
DATABASE_FOR = os.environ.get("DATABASE_FOR") or "requests"
DATABASES = {
    "default": {
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        **url.parse(os.environ.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}"),
    }
}
if os.environ.get("DATABASE_REPLICA_URL"):
    DATABASES["replica"] = {
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        **url.parse(os.environ["DATABASE_REPLICA_URL"]),
    }
# Services that live apart, such as "1001=eu,1002=us" with DATABASE_URL_EU and DATABASE_URL_US.
_APART = service_databases.parse_map(os.environ.get("SERVICE_DATABASES", ""))
_ENGINE = DATABASES["default"]["ENGINE"]
for _alias, _found in service_databases.databases_of(_APART, os.environ, _ENGINE).items():
    DATABASES[_alias] = {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True, **_found}
if _APART:
    DATABASE_ROUTERS = ["grant_management.db.routing.Router"]
_SQLITE = _ENGINE == "django.db.backends.sqlite3"
if _SQLITE:
    _defaults = {
        # Several writers: take the write lock at BEGIN and wait for it, instead of failing halfway.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # A write is acknowledged once it is on the disk. In WAL mode EXTRA equals FULL; where a
        # file system has no WAL, EXTRA also syncs the directory once a commit has deleted the
        # rollback journal. On macOS only a full fsync reaches the disk.
        # See https://www.sqlite.org/pragma.html#pragma_synchronous
        "init_command": "PRAGMA synchronous=EXTRA; PRAGMA fullfsync=ON",
        "factory": WriteAheadConnection,
    }
    for _database in DATABASES.values():
        if _database["ENGINE"] == _ENGINE:  # not the replica, if one is set by mistake
            _database["OPTIONS"] = _defaults | _database["OPTIONS"]
else:
    _switch = os.environ.get("DATABASE_TIMEOUTS") or "on"
    for _database in DATABASES.values():
        _database["OPTIONS"] = timeouts.with_timeouts(_database["OPTIONS"], DATABASE_FOR, _switch)

# Calls that a worker works on at once (`gm_project.serving.slots`); each has a connection to the
# database. SQLite answers at once, while PostgreSQL is waited for.
CALLS_AT_ONCE = 2 if _SQLITE else 4
# Some are kept for the API: pages may be slow.
PAGES_AT_ONCE = CALLS_AT_ONCE if ONLY == "admin" else CALLS_AT_ONCE - 1

# The settings of the app, such as '{"TRUSTED_PROXIES": ["127.0.0.1"]}'.
GRANT_MANAGEMENT = _object("GRANT_MANAGEMENT")
if DATABASE_FOR == "requests" and isinstance(GRANT_MANAGEMENT, dict):
    # One is kept for reads: a write may wait for a lock.
    GRANT_MANAGEMENT.setdefault("WRITES_AT_ONCE", CALLS_AT_ONCE - 1)
if _APART and isinstance(GRANT_MANAGEMENT, dict):
    GRANT_MANAGEMENT.setdefault("SERVICE_DATABASES", _APART)
if "replica" in DATABASES and isinstance(GRANT_MANAGEMENT, dict):
    GRANT_MANAGEMENT.setdefault("READ_REPLICA", "replica")

# Where Prometheus finds metrics: at a port of this machine alone, or at /metrics behind a token.
METRICS_PORT = _port("METRICS_PORT")
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")
if METRICS_TOKEN and not re.fullmatch(r"[A-Za-z0-9._~+/=-]{32,}", METRICS_TOKEN):
    raise ImproperlyConfigured("METRICS_TOKEN must have 32 characters of a Bearer token or more.")
if (METRICS_PORT or METRICS_TOKEN) and isinstance(GRANT_MANAGEMENT, dict):
    GRANT_MANAGEMENT.setdefault("METRICS", True)

# Where spans go, by the variables of OpenTelemetry itself.
TRACED = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
if TRACED and isinstance(GRANT_MANAGEMENT, dict):
    GRANT_MANAGEMENT.setdefault("TRACES", True)

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# How often the server's workers purge by themselves; 0: never.
PURGE_EVERY_MINUTES = _minutes("PURGE_EVERY_MINUTES", "10")

# Whether the server's workers send webhooks by themselves; "off": only `deliver_events` does.
DELIVER_EVENTS = os.environ.get("DELIVER_EVENTS", "on").lower() not in ("off", "0", "no", "false")

LANGUAGE_CODE = "en"
# What an operator can choose for the console.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("ja", "日本語")]
# Its words before those that other apps have for the same English ones.
LOCALE_PATHS = [BASE_DIR / "grant_management" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
