"""The bridge's system checks: what a host forgot is named, and a server that lacks it says so."""

import pytest
import requests

from ..example import example_environment, new_database, server, shell
from ..standalone import free_port

BRIDGE = "grant_management_oauth_toolkit"


@pytest.fixture(scope="module")
def environment(django_db_setup, django_db_blocker, tmp_path_factory):
    """Of the example, migrated, with no service yet."""
    port = free_port()
    url = new_database(django_db_blocker, tmp_path_factory)
    env = example_environment(url, BASE_URL=f"http://127.0.0.1:{port}")
    with shell(env) as run:
        run("from django.core.management import call_command\ncall_command('migrate', verbosity=0)")
        yield env, port, run


@pytest.fixture
def found(environment):
    """The numbers of the bridge's findings, and their hints, with these settings."""

    def ask(change="", urls=""):
        return dict(environment[2](FIND.format(change or "dict()", urls)))

    return ask


def test_the_example_lacks_nothing(found, environment):
    environment[2](SEED)
    expected = {"W002"} if is_broken(environment[2]) else set()
    assert set(found()) == expected


def test_the_validator(found):
    said = found("dict(OAUTH2_PROVIDER={'SCOPES': dict.fromkeys(ALL, '')})")
    assert "validator.GrantManagementValidator" in said["E002"]


def test_the_order_of_the_urls(found):
    said = found(urls="path('o/', include('oauth2_provider.urls')), *ours")
    assert "'grant_management.contrib.oauth_toolkit.urls'" in said["E003"]
    assert "E003" not in found(urls="*ours, path('o/', include('oauth2_provider.urls'))")
    assert "E003" not in found(urls="path('', include('grant_management.urls'))")


@pytest.mark.parametrize("missing", ["grant_management_query", "grant_management_revoke"])
def test_the_scopes(found, missing):
    change = (
        "dict(OAUTH2_PROVIDER=settings.OAUTH2_PROVIDER | "
        f"{{'SCOPES': {{one: '' for one in ALL if one != '{missing}'}}}})"
    )
    assert "403" in found(change)["W001"]


def test_the_service(found, environment):
    environment[2](SEED)
    said = found("dict(GRANT_MANAGEMENT={'OAUTH_TOOLKIT_SERVICE': 7})")
    assert "setup_grant_management" in said["W003"]
    assert "W003" not in found("dict(GRANT_MANAGEMENT={})")
    environment[2](SECOND)
    try:
        said = found("dict(GRANT_MANAGEMENT={})")
        assert "several services" in said["W003"]
    finally:
        environment[2](
            "from grant_management.models import Service\nService.objects.filter(pk=2).delete()"
        )


@pytest.mark.parametrize(
    "endpoint", ["", "https://as.example.com/gm", "https://as.example.com/gm/2"]
)
def test_the_endpoint(found, environment, endpoint):
    environment[2](SEED)
    environment[2](ENDPOINT.format(endpoint))
    assert "/gm/1" in found()["W004"]
    moved = "path('o/', include('grant_management.contrib.oauth_toolkit.urls')), path('x/', include('grant_management.urls'))"
    environment[2](ENDPOINT.format("https://as.example.com/gm/1"))
    assert "/x/gm/1" in found(urls=moved)["W004"]
    environment[2](ENDPOINT.format("https://as.example.com/x/gm/1/"))
    assert "W004" not in found(urls=moved)


def test_oauthlib(found, environment):
    """It is reported where it breaks the toolkit's views, which a later toolkit may mend."""
    assert ("W002" in found()) == is_broken(environment[2])
    said = environment[2](OAUTHLIB)
    assert said == {"4.0.0": False, "4.0.1": True, "4.1": True, "3.3.1": False}


def test_a_server_without_a_service_says_what_to_do(environment):
    """At each door of the toolkit that needs one; never 500."""
    env, port, run = environment
    run(NONE)
    with server(env | {"DJANGO_SETTINGS_MODULE": "tests.example_settings"}, port, 1):
        base = f"http://127.0.0.1:{port}/o"
        form = {"grant_type": "client_credentials", "client_id": "c", "client_secret": "s"}
        answers = [
            requests.post(f"{base}/token/", data=form, timeout=60),
            requests.post(f"{base}/device-authorization/", data={"client_id": "d"}, timeout=60),
        ]
        if run(
            "from oauth2_provider import views\nresult = hasattr(views, 'OAuthServerMetadataView')"
        ):
            answers.append(
                requests.get(f"{base}/.well-known/oauth-authorization-server", timeout=60)
            )
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]) == (503, "server_error")


def is_broken(run):
    return run(BROKEN)


ALL = ["read", "grant_management_query", "grant_management_revoke"]
FIND = f"""
import sys, types
from django.conf import settings
from django.core import checks
from django.test import override_settings
from django.urls import clear_url_caches, include, path
import urls
ALL, ours = {ALL!r}, urls.urlpatterns
module = types.ModuleType("tried_urls")
module.urlpatterns = [{{1}}] or ours
sys.modules["tried_urls"] = module
with override_settings(ROOT_URLCONF="tried_urls", **{{0}}):
    clear_url_caches()
    said = checks.run_checks(databases=["default"])
clear_url_caches()
result = [[one.id.rpartition(".")[2], one.hint] for one in said if one.id.startswith("{BRIDGE}.")]
"""
SEED = """
import contextlib, io, seed
with contextlib.redirect_stdout(io.StringIO()): seed.main()
"""
SECOND = """
from grant_management.models import Organization, Service
Service.objects.create(pk=2, organization=Organization.objects.get(), name="Second")
"""
ENDPOINT = """
from grant_management.models import Service
Service.objects.update(grant_management_endpoint="{0}")
"""
NONE = """
from oauth2_provider.models import Application
from grant_management.models import *
for model in (GrantEvent, ApiToken, Client, Service): model.objects.all()._raw_delete("default")
common = dict(client_secret="s", client_type="confidential")
Application.objects.create(client_id="c", authorization_grant_type="client-credentials", **common)
common["client_type"] = "public"
Application.objects.create(client_id="d", authorization_grant_type="urn:ietf:params:oauth:grant-type:device_code", **common)
"""
BROKEN = """
import oauthlib
from oauth2_provider.models import DeviceCodeResponse
new = tuple(map(int, oauthlib.__version__.split(".")[:3])) >= (4, 0, 1)
result = new and "scope" not in DeviceCodeResponse.__dataclass_fields__
"""
OAUTHLIB = """
from unittest.mock import patch
from grant_management.contrib.oauth_toolkit import checks
result = {}
for one in ("4.0.0", "4.0.1", "4.1", "3.3.1"):
    with patch.object(checks, "version", lambda name, one=one: one):
        result[one] = bool(checks.check_oauthlib())
"""
