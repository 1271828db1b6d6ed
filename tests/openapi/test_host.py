"""In a host's project: under a prefix, and whatever its `REST_FRAMEWORK` says."""

import re

import pytest
from django.test import Client as HTTP

from grant_management.contrib.openapi.document import document

APPS = ("drf_spectacular", "drf_spectacular_sidecar", "grant_management.contrib.openapi")


@pytest.fixture(autouse=True)
def host(settings):
    settings.ROOT_URLCONF = "tests.openapi.host_urls"
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, *APPS]
    settings.REST_FRAMEWORK = {
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.AdminRenderer"],
    }
    settings.SPECTACULAR_SETTINGS = {
        "TITLE": "The host's",
        "SWAGGER_UI_DIST": "https://cdn.example",
    }
    settings.MIDDLEWARE = []


def test_the_document_names_the_prefix():
    answer = HTTP().get("/oauth/api/schema").json()
    assert answer["servers"] == [{"url": "/oauth"}]
    assert answer["paths"] == document()["paths"]
    assert answer["info"]["title"] == "Grant Management for OAuth 2.0"


def test_the_page_is_strict():
    response = HTTP().get("/oauth/api/schema/page")
    text = response.content.decode()
    assert "unsafe" not in response["Content-Security-Policy"]
    assert "cdn.example" not in text
    script = re.findall(r'src="([^"]*script=[^"]*)"', text)
    said = HTTP().get(script[0].replace("&amp;", "&"))
    assert said["Content-Type"].startswith("application/javascript")
    assert 'validatorUrl": null' in said.content.decode()
    assert 'url: "' in said.content.decode()
    assert "cdn.example" not in said.content.decode()
