"""What a host's logs and error e-mails have of a request to the app: no path, no query, no value."""

import logging
import logging.config

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client as HTTP
from django.urls import include, path
from django.utils.log import DEFAULT_LOGGING

from grant_management.request_log import WithoutPaths

SECRET = "SecretOfAClient0123456789"


def fails(request, value):
    raise ValueError(value)


def is_late(request, value):
    return HttpResponse(status=503)


urlpatterns = [
    path("", include("grant_management.urls")),
    path("fails/<value>", fails),
    path("late/<value>", is_late),
]


class Kept(logging.Handler):
    """What a handler of a host writes."""

    def __init__(self, *filters):
        super().__init__()
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.lines = []
        for one in filters:
            self.addFilter(one)

    def emit(self, record):
        self.lines.append(self.format(record))


@pytest.fixture
def kept():
    """A handler without our filter, on Django's logger."""
    handler, logger = Kept(), logging.getLogger("django")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.fixture
def http():
    return HTTP(raise_request_exception=False)


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("path", ["auth/token/delete", "auth/authorization", "typo"])
def test_the_middleware_guards_the_apps_urls(db, kept, http, path):
    """Without any setting: of a host only its own paths are logged."""
    http.get(f"/api/1/{path}/{SECRET}?token={SECRET}")
    http.delete(f"/gm/1/{SECRET}")
    http.get("/elsewhere")
    assert len(kept.lines) == 3
    assert SECRET not in str(kept.lines)
    assert "/elsewhere" in kept.lines[-1]


def test_the_middleware_guards_the_apps_pages(kept, admin_client):
    """A page that is not there, and a form without its CSRF token."""
    admin_client.handler.enforce_csrf_checks = True
    admin_client.get(f"/admin/grant_management/nothing/{SECRET}/")
    admin_client.post(f"/admin/grant_management/grant/find/?q={SECRET}")
    assert len(kept.lines) == 2
    assert kept.lines[1].startswith("django.security.csrf POST ")
    assert SECRET not in str(kept.lines)


@pytest.mark.urls(__name__)
def test_the_filter_guards_all(http):
    """A host's own paths too, with the errors that quote them."""
    handler, logger = Kept(WithoutPaths()), logging.getLogger("django")
    logger.addHandler(handler)
    try:
        for path in ("fails", "late", "nothing"):
            http.get(f"/{path}/{SECRET}?q={SECRET}")
    finally:
        logger.removeHandler(handler)
    assert len(handler.lines) == 3
    assert handler.lines[1:] == [
        "django.request GET is_late: 503",
        "django.request GET before any view: 404",
    ]
    first, *frames = handler.lines[0].splitlines()
    assert (first, frames[0].strip()) == ("django.request GET fails: 500", "ValueError")
    assert frames[-1].endswith("in fails")
    assert SECRET not in str(handler.lines)


@pytest.mark.urls(__name__)
def test_error_mails(http, settings):
    """They quote requests: those of the app's own URLs and, with the filter, all."""
    settings.ADMINS = [("Ann", "ann@example.com")]
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"without_paths": {"()": WithoutPaths}},
        "handlers": {
            "mail": {"class": "django.utils.log.AdminEmailHandler", "filters": ["without_paths"]}
        },
        "loggers": {"django": {"handlers": ["mail"], "level": "INFO"}},
    }
    before = logging.getLogger("django").handlers[:]
    logging.config.dictConfig(config)
    try:
        http.get(f"/fails/{SECRET}?q={SECRET}", headers={"Referer": f"http://x/{SECRET}"})
    finally:
        logging.config.dictConfig(DEFAULT_LOGGING)
        logging.getLogger("django").handlers[:] = before
    (sent,) = mail.outbox
    assert "GET fails: 500" in sent.subject
    assert SECRET not in str(sent.message())


def test_the_line_of_the_development_server():
    record = logging.LogRecord(
        "django.server",
        logging.WARNING,
        "",
        0,
        '"%s" %s %s',
        (f"GET /x/{SECRET} HTTP/1.1", "404", "9"),
        None,
    )
    record.request, record.status_code = object(), 404
    assert WithoutPaths().filter(record)
    assert record.getMessage() == "GET before any view: 404"
