"""Relations within a service: each statement that follows one names the service of both tables."""

import re

import pytest
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext

from grant_management.db.deleting import delete
from grant_management.db.of_service import WithinService, at_services, these
from grant_management.db.service_row import OfService
from grant_management.models import AccessToken, Client, Grant, placement

from ..ours import connection
from ..standalone import ROOT


def relations():
    """Those between two tables of which each row is where its service is."""
    for model in placement.of_service():
        for field in model._meta.concrete_fields:
            if field.is_relation and placement.is_of_service(field.related_model):
                yield field


def test_each_relation_is_within_its_service():
    found = list(relations())
    assert len(found) == 8
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
    with CaptureQueriesContext(connection) as captured:
        assert isinstance(token.client, Client)
        assert isinstance(token.grant, Grant)
    assert [("service_id" in one["sql"].partition("WHERE")[2]) for one in captured] == [True, True]


def change(row):
    row.save(update_fields=["service"])


def test_each_model_of_a_service_is_of_the_base():
    """But those whose key has the service in it."""
    lacking = {one.__name__ for one in placement.of_service() if not issubclass(one, OfService)}
    assert lacking == {"EventChain", "UsedProof"}


@pytest.mark.parametrize(
    "act",
    [
        change,
        lambda row: row.refresh_from_db(),
        lambda row: row.refresh_from_db(fields=["subject"]),
        lambda row: type(row).objects.only("service").get(pk=row.pk).subject,
        lambda row: row.delete(),
        lambda row: list(row.its_row()),
    ],
)
def test_what_is_sent_of_an_instance_names_its_service(world, act):
    world.token(None)
    row = AccessToken.objects.get()
    with CaptureQueriesContext(connection) as captured:
        act(row)
    last = captured[-1]["sql"].partition("WHERE")[2]
    assert '"id" =' in last
    assert '"service_id" =' in last


def test_a_row_whose_service_is_not_loaded(world):
    grant = Grant.objects.only("pk").get(pk=world.grant().pk)
    assert grant.service_id == world.service.pk


def test_rows_and_what_refers_to_them(world):
    """They are deleted by keys and service, and looked for at the service; what is used stays."""
    used, unused = world.grant(), world.grant()
    world.token(used)
    with CaptureQueriesContext(connection) as captured:
        assert delete(these(Grant.objects.all(), [(unused.pk, world.service.pk)]))[0] == 1
    tables = ("accesstoken", "refreshtoken", "grant")
    ours = [one["sql"] for one in captured if "WHERE" in one["sql"]]
    ours = [one for one in ours if any(f'"grant_management_{name}"' in one for name in tables)]
    assert len(ours) == 4
    assert [one for one in ours if "service_id" not in one.partition("WHERE")[2]] == []
    with pytest.raises(ProtectedError):
        delete(these(Grant.objects.all(), [(used.pk, world.service.pk)]))
    assert Grant.objects.get() == used


def test_of_another_service_nothing_is_found(world):
    grant, other = world.grant(), world.service.pk + 1
    assert not these(Grant.objects.all(), [(grant.pk, other)]).exists()
    assert not Grant.objects.filter(at_services([]), pk=grant.pk).exists()
    assert these(Grant.objects.all(), [(grant.pk, world.service.pk)]).get() == grant


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
