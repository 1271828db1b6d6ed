"""The example's settings, as tests vary them; passwords are hashed fast."""

import json
import os

import settings
from settings import *  # noqa: F403 - the example's, which runs in its own folder
from settings import DATABASES, GRANT_MANAGEMENT, INSTALLED_APPS

OAUTH2_PROVIDER = getattr(settings, "OAUTH2_PROVIDER", {}) | json.loads(
    os.environ.get("TEST_OAUTH2_PROVIDER", "{}")
)
GRANT_MANAGEMENT |= json.loads(os.environ.get("TEST_GRANT_MANAGEMENT", "{}"))
ACCOUNT_RATE_LIMITS = IDP_OIDC_RATE_LIMITS = False
IDP_OIDC_INTROSPECTION_CROSS_CLIENT_ALLOWED = True
globals().update(json.loads(os.environ.get("TEST_SETTINGS", "{}")))
INSTALLED_APPS += os.environ.get("TEST_APPS", "").split()
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if "TEST_USER_MODEL" in os.environ:
    AUTH_USER_MODEL = os.environ["TEST_USER_MODEL"]
if "TEST_SECOND_DATABASE" in os.environ:
    DATABASES["second"] = DATABASES["default"] | {"NAME": os.environ["TEST_SECOND_DATABASE"]}
    DATABASE_ROUTERS = ["tests.example_settings.Router"]


class Router:
    """Sends some apps to a second database."""

    moved = os.environ.get("TEST_MOVED_APPS", "").split()

    def db_for_read(self, model, **hints):
        return "second" if model._meta.app_label in self.moved else None

    db_for_write = db_for_read

    def allow_relation(self, one, other, **hints):
        return True
