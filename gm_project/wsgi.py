"""The WSGI application."""

import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gm_project.settings")

django_application = get_wsgi_application()

# The apps are ready from here on.
from gm_project.serving.slots import Slots  # noqa: E402
from grant_management.api.health import in_front_of  # noqa: E402

slots = Slots(django_application, settings.CALLS_AT_ONCE, settings.PAGES_AT_ONCE)
application = in_front_of(slots)
if settings.METRICS_TOKEN:
    from gm_project.serving.metrics import behind

    application = behind(settings.METRICS_TOKEN, application)


def _settle() -> None:
    """Load what the first request would load, and exclude it from garbage collection.

    A full collection of a loaded Django takes tens of milliseconds, in the middle of a request.
    """
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018 - asked for so that it is loaded
    gc.collect()
    gc.freeze()


_settle()
