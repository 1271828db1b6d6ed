"""The standalone project's settings, with the pages of the people whose grants these are."""

from gm_project.settings import *  # noqa: F403
from gm_project.settings import GRANT_MANAGEMENT, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "grant_management.contrib.self_service"]
ROOT_URLCONF = "benchmarks.console.urls"
GRANT_MANAGEMENT = {
    **GRANT_MANAGEMENT,
    "SELF_SERVICE_SUBJECT": "benchmarks.console.urls.person_of",
}
