"""`SERVICE_DATABASES` of the environment: what is taken, and what is refused without a secret."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from gm_project.database.service_databases import databases_of, parse_map

POSTGRESQL = "grant_management.db.postgresql"


def test_what_is_taken():
    found = parse_map(" 1001=eu, 1002=us,1003=eu ")
    assert found == {1001: "eu", 1002: "us", 1003: "eu"}
    urls = {"DATABASE_URL_EU": "postgresql://eu/db", "DATABASE_URL_US": "postgresql://us/db"}
    databases = databases_of(found, urls, POSTGRESQL)
    assert {name: one["HOST"] for name, one in databases.items()} == {"eu": "eu", "us": "us"}
    assert parse_map("") == {} == databases_of({}, {}, POSTGRESQL)


@pytest.mark.parametrize(
    "text",
    ["eu", "1001", "1001=EU", "0=eu", "1=eu,1=us", "1=default", "1=replica", "1=eu;2=us", "1=a b"],
)
def test_what_is_refused(text):
    with pytest.raises(ImproperlyConfigured, match="SERVICE_DATABASES must be"):
        parse_map(text)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "set DATABASE_URL_EU"),
        ("sqlite:///grants.sqlite3", "same kind"),
        ("postgresql://u:hidden@h", "DATABASE_URL_EU names no database"),
    ],
)
def test_a_url_that_is_refused(url, said):
    with pytest.raises(ImproperlyConfigured, match=said) as refused:
        databases_of({1001: "eu"}, {"DATABASE_URL_EU": url}, POSTGRESQL)
    assert "hidden" not in str(refused.value)
