"""Relations within a service: each statement that follows one names the service of both tables."""

import re

import pytest
from django.apps import apps
from django.test.utils import CaptureQueriesContext

from grant_management.db import primary
from grant_management.db.of_service import WithinService
from grant_management.models import AccessToken, ApiToken, Client, Grant, Service

from ..standalone import ROOT

EVERYWHERE = (Service, ApiToken)
"""Tables that each database has whole: a call is looked up there first."""


def relations():
    """Those between two tables of which each row belongs to a service."""
    for model in apps.get_app_config("grant_management").get_models():
        for field in model._meta.concrete_fields:
            to = field.remote_field and field.remote_field.model
            if (
                to
                and to not in EVERYWHERE
                and all("service_id" in columns(one) for one in (model, to))
            ):
                yield field


def columns(model):
    return {field.column for field in model._meta.concrete_fields}


def test_each_relation_is_within_its_service():
    found = list(relations())
    assert len(found) >= 8
    assert [str(one) for one in found if not isinstance(one, WithinService)] == []


@pytest.mark.parametrize("field", list(relations()), ids=str)
def test_a_join_names_the_service_of_both(field):
    mine, theirs = (one._meta.db_table for one in (field.model, field.remote_field.model))
    for query in (
        field.model.objects.filter(**{f"{field.name}__service": 1}),
        field.model.objects.select_related(field.name),
        field.remote_field.model.objects.filter(**{f"{field.related_query_name()}__service": 1}),
    ):
        joins = re.findall(r"JOIN .*? ON \((.*?)\)", str(query.query))
        pairs = {pair for join in joins for pair in re.findall(r'"(\w+)"\."service_id"', join)}
        assert {mine, theirs} <= pairs, query.query


def test_what_a_row_refers_to_is_found_in_its_service(world):
    world.token(world.grant())
    token = AccessToken.objects.get()
    with CaptureQueriesContext(primary.connection()) as captured:
        assert isinstance(token.client, Client)
        assert isinstance(token.grant, Grant)
    assert [("service_id" in one["sql"].partition("WHERE")[2]) for one in captured] == [True, True]


def test_each_join_that_is_written_by_hand_names_the_service_of_both():
    """All of those in SQL: the text between ON and the next join or WHERE."""
    texts = [path.read_text() for path in (ROOT / "grant_management").rglob("*.py")]
    sql = re.sub(r'"\s*\n\s*f?"', "", "\n".join(texts))
    joins = re.findall(
        r"JOIN grant_management_(\w+) AS \w+ ON (.+?)(?: LEFT| JOIN| WHERE|\"|\n)", sql
    )
    assert len(joins) >= 6
    ours = {"client", "grant", "accesstoken", "refreshtoken"}
    assert [on for table, on in joins if table in ours and on.count("service_id") < 1] == []
