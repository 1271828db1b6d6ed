"""Whether a cut-off spares a row: where the services are known, no table is joined for it."""

from datetime import timedelta

import pytest

from grant_management.models import AccessToken, Grant, GrantStatus, RefreshToken
from grant_management.models.grant import status_condition
from grant_management.models.token import TokenStatus

from ..world import make_world, now

DAY = timedelta(days=1)


@pytest.fixture
def services(world):
    """Of two services with grants and tokens from before and after the cut-offs of a client and
    of a service.
    """
    other = make_world()
    at, clients = now(), (world.client, world.client_named("app-2"), other.client)
    for client in clients:
        for created in (at - 3 * DAY, at):
            grant = world.grant(service=client.service, client=client, created_at=created)
            for issued in (at - 3 * DAY, at):
                for model in (AccessToken, RefreshToken):
                    owner = {"service": client.service, "client": client}
                    world.token(grant, model=model, issued_at=issued, **owner)
    for one in (world.client, other.service):
        one.its_row().update(not_before=at - DAY)
    return [world.service.pk, other.service.pk]


@pytest.mark.parametrize("known", [1, 2])
@pytest.mark.parametrize("status", GrantStatus)
def test_grants(services, known, status):
    rows = Grant.objects.filter(service__in=services[:known]).select_related("service", "client")
    found = rows.filter(status_condition(status, now(), services[:known]))
    assert set(found) == set(rows.with_status(status, now()))
    assert set(found) == {one for one in rows if one.status(now()) is status}


@pytest.mark.parametrize("known", [1, 2])
@pytest.mark.parametrize("model", [AccessToken, RefreshToken])
def test_tokens(services, known, model):
    rows = model.objects.filter(service__in=services[:known])
    found = set(rows.alive(now(), services[:known]))
    assert found == set(rows.alive(now()))
    assert found == {one for one in rows if one.status(now()) is TokenStatus.ACTIVE}
    assert 0 < len(found) < len(rows)


def test_no_owner_is_joined(services):
    """For each row that would cost as much as to read it."""
    sql = str(Grant.objects.filter(status_condition(GrantStatus.ACTIVE, now(), services)).query)
    assert " JOIN " not in sql
