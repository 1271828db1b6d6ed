import json
import os
import re
from dataclasses import dataclass
from functools import partial

import pytest
from django.dispatch import receiver
from django.test import Client as HTTP
from django.test.signals import setting_changed
from django.utils import translation
from hypothesis import settings

from grant_management.db import apart

from .npm import node, npm  # noqa: F401 - fixtures for everybody
from .ours import OURS
from .world import make_world

# A slow machine is no reason to fail; and continuous integration judges a change, not its luck:
# there the examples are the same each time.
settings.register_profile("tests", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("tests")


@receiver(setting_changed)
def forget_translations(setting, **_others):
    """Django keeps the first function that it has chosen by `USE_I18N`: each test chooses anew."""
    if setting == "USE_I18N":
        vars(translation._trans).clear()


@pytest.fixture(scope="session")
def django_db_keepdb(request):
    """A database that sessions of a pooler use cannot be dropped; its server ends with the run."""
    return request.config.getoption("--pooled") or request.config.getvalue("reuse_db")


@pytest.fixture
def django_assert_num_queries(django_assert_num_queries):
    """Of the app's database."""
    return partial(django_assert_num_queries, using=OURS)


@pytest.fixture
def django_assert_max_num_queries(django_assert_max_num_queries):
    """Of the app's database."""
    return partial(django_assert_max_num_queries, using=OURS)


@pytest.fixture
def django_capture_on_commit_callbacks(django_capture_on_commit_callbacks):
    """Of the app's database."""
    return partial(django_capture_on_commit_callbacks, using=OURS)


@pytest.fixture(autouse=True)
def searched_spans(request):
    """With `--traced`: no span of any test has a credential."""
    if request.config.getoption("--traced"):
        from .traced import searched

        with searched():
            yield
    else:
        yield


@pytest.fixture(autouse=True)
def services_in_view(request):
    """With `--apart`: what a test does itself is about the services, which requests do not know."""
    if request.config.getoption("--apart"):
        with apart.database("apart"):
            yield
    else:
        yield


@pytest.fixture
def world(db):
    return make_world()


@dataclass
class Answer:
    """An answer of the API; `challenges` are parsed."""

    status: int
    headers: object
    body: dict

    @property
    def action(self):
        return self.body.get("action")

    @property
    def code(self):
        return self.body["resultCode"]

    @property
    def challenges(self):
        return parse_challenges(self.body["responseContent"])

    @property
    def content(self):
        return json.loads(self.body["responseContent"])


def parse_challenges(value):
    """`{scheme: {parameter: value}}` of a WWW-Authenticate value; fails where it is not one."""
    assert re.fullmatch(r"[ -~]+", value)
    parsed = {}
    for scheme, rest in re.findall(
        r'(?:^|, )(Bearer|DPoP) ((?:[a-z_]+="[^"]*"(?:, (?!Bearer|DPoP))?)+)', value
    ):
        parsed[scheme] = dict(re.findall(r'([a-z_]+)="([^"\\]*)"', rest))
    rebuilt = ", ".join(
        f"{scheme} " + ", ".join(f'{name}="{text}"' for name, text in parameters.items())
        for scheme, parameters in parsed.items()
    )
    assert rebuilt == value
    return parsed


@pytest.fixture
def post():
    """Send any request; get the `Answer`, which must be JSON that nobody keeps."""

    def send(
        path, body=b"", *, api_token=None, method="POST", content_type="application/json", **headers
    ):
        if api_token is not None:
            headers["HTTP_AUTHORIZATION"] = f"Bearer {api_token}"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        http = HTTP(raise_request_exception=False)
        response = http.generic(
            method, path, data, content_type, **{"CONTENT_TYPE": content_type} | headers
        )
        assert response["Content-Type"] == "application/json"
        assert response["Cache-Control"] == "no-store"
        members = json.loads(response.content) if method != "HEAD" else {"resultCode": ""}
        assert all(isinstance(value, str) for value in members.values())
        return Answer(response.status_code, response.headers, members)

    return send


@pytest.fixture
def call(world, post):
    """Call gm with these members."""

    def send(**members):
        return post(f"/api/{world.service.pk}/auth/gm", members, api_token=world.api_token)

    return send
