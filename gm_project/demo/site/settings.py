"""The settings of the demo: those of the standalone project, and what the person's pages need."""

from pathlib import Path
from typing import Final

from gm_project.settings import *  # noqa: F403 - settings are inherited like this
from gm_project.settings import BASE_DIR, GRANT_MANAGEMENT, INSTALLED_APPS, MIDDLEWARE, TEMPLATES

_SESSIONS: Final = "django.contrib.sessions.middleware.SessionMiddleware"
_LANGUAGE: Final = "gm_project.demo.site.language.PersonsLanguage"

INSTALLED_APPS = [*INSTALLED_APPS, "grant_management.contrib.self_service"]
MIDDLEWARE = [
    name for one in MIDDLEWARE for name in ([one, _LANGUAGE] if one == _SESSIONS else [one])
]
ROOT_URLCONF = "gm_project.demo.site.urls"
TEMPLATES = [
    {**one, "DIRS": [BASE_DIR / "templates", Path(__file__).resolve().parent / "templates"]}
    for one in TEMPLATES
]
GRANT_MANAGEMENT = GRANT_MANAGEMENT | {
    "SELF_SERVICE_SUBJECT": "gm_project.demo.site.person.person_of",
    "SELF_SERVICE_TEMPLATE": "demo_site/base.html",
}
LOGIN_URL = "demo_login"
LOGIN_REDIRECT_URL = "grant_management_self_service:apps"
LOGOUT_REDIRECT_URL = "demo_login"
