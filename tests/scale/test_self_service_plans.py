"""The end of a person's access, and the API of their own grants, with a million grants: every large
table is read by an index. Their pages: `test_console_plans`.
"""

from datetime import timedelta

import pytest
from django.test import Client as HTTP
from django.urls import reverse

from grant_management.models import (
    AccessToken,
    ApiToken,
    Grant,
    GrantStatus,
    RefreshToken,
    SelfServiceToken,
)

from ..self_service_site import CHANGES
from ..world import api_token_of, now
from .plans import read_far, statements

APP = "grant_management.contrib.self_service"
MOST = 20
EACH = 6
"""The most statements that another grant of the same app adds to the end of its access."""


@pytest.fixture
def one(big):
    """A grant that its person can end."""
    active = Grant.objects.filter(service=big).with_status(GrantStatus.ACTIVE, now())
    return active.exclude(subject=None).order_by("-created_at", "-pk")[100]


@pytest.fixture
def ask(settings, one):
    """A request of the person whose grant it is."""
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, APP]
    settings.ROOT_URLCONF = "tests.self_service_site"
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | CHANGES
    headers = {"X-Person": f"{one.service_id} {one.subject}"}

    def ask_(name, *arguments, query="", method="get", status=200, most=MOST):
        url = reverse(f"grant_management_self_service:{name}", args=arguments)
        return judged(
            lambda http: getattr(http, method)(url + query, headers=headers), status, most
        )

    return ask_


def judged(call, status=200, most=MOST):
    """The response, whose statements find their rows by an index."""
    with statements() as made:
        response = call(HTTP())
    assert response.status_code == status, response.content[:500]
    assert len(made) <= most, len(made)
    assert read_far(made) == []
    return response


def test_access_is_removed(ask, one):
    """Beside the person's grants to that app and their tokens nothing is read or written."""
    held = {"service": one.service_id, "client": one.client_id, "subject": one.subject}
    others = Grant.objects.filter(**held, revoked_at=None).count() - 1
    most = MOST + EACH * others
    ask("remove", one.client_id, method="post", status=302, most=most)
    assert Grant.objects.get(pk=one.pk).revoked_at is not None
    for model in (AccessToken, RefreshToken):
        assert model.objects.filter(grant=one).exists()


def test_the_api(one):
    service = one.service
    may = {"organization": service.organization, "service": service}
    api_token_of(**may, can_issue_self_service=True)
    opener = ApiToken.objects.filter(service=service, can_issue_self_service=True).latest("pk")
    about = (one.service, opener, one.subject, "view", now(), timedelta(minutes=15))
    value = SelfServiceToken.objects.issue(*about)[1]
    url = f"/self/{one.service_id}/grants"
    headers = {"Authorization": f"Bearer {value}"}
    page = judged(lambda http: http.get(url, headers=headers)).json()
    assert page["grants"]
