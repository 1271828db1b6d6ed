"""A trail that an auditor can trust: every door that changes something leaves one event for it."""

import inspect
import json
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.apps import apps

from grant_management.admin import sweep as sweep_pages
from grant_management.models import GrantEvent, OrganizationEvent

from .doors import ACTS, IN_NO_EVENT, STOCK, Scene, discovered, page_names
from .world import now


@pytest.fixture
def scene(world, django_user_model, monkeypatch, settings):
    keys = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | keys
    monkeypatch.setattr(sweep_pages, "work_in_background", lambda sweep: None)
    return Scene.of(world, django_user_model.objects.create_superuser("ann"))


def test_no_door_is_forgotten():
    """A new route, command, page of the admin or action of a list needs acts of its own."""
    assert {act.door for act in ACTS} == discovered()


def trail():
    """Every event, with where it belongs."""
    rows = [*GrantEvent.objects.all(), *OrganizationEvent.objects.all()]
    return {row.pk: row for row in rows}


def told(event):
    where = "service" if isinstance(event, GrantEvent) else "organization"
    return event.kind, where, (event.actor_kind, event.actor, event.actor_id)


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_each_act_leaves_its_events(scene, act, tmp_path):
    """As many as the table says, by the one who did it, at the time when it was done."""
    wanted = inspect.signature(act.do).parameters
    doing = act.do(scene, **({"tmp_path": tmp_path} if "tmp_path" in wanted else {}))
    next(doing)
    before, began = trail(), now()
    list(doing)
    left = [row for key, row in trail().items() if key not in before]
    expected = []
    for kind, who, *where in act.leaves:
        by = scene.by[who]
        expected.append((kind, *(where or ["service"]), (by.kind, by.name, by.id)))
    assert sorted(map(told, left)) == sorted(expected)
    for row in left:
        assert began - timedelta(seconds=1) < row.at < now() + timedelta(seconds=1)
    # The query of a receiver's URL often has a credential; auditors and SIEMs read events.
    assert not [row for row in trail().values() if IN_NO_EVENT in json.dumps(row.details)]


OF_DJANGO = [
    name
    for name in page_names()
    if name.endswith(STOCK) and not name.startswith("organizationmember")
]


@pytest.mark.parametrize("name", OF_DJANGO)
def test_nothing_is_written_on_a_page_of_djangos(scene, name):
    """Neither by somebody who may see it all; members are added and removed by acts of the table."""
    model, _, page = name.partition("_")
    row = apps.get_model("grant_management", model)._default_manager.first()
    key = row.pk if row else "00000000-0000-7000-8000-000000000000"
    before = trail()
    arguments = () if page in ("changelist", "add") else (key,)
    response = scene.http.post(scene.url(name, *arguments), {"post": "yes"})
    assert response.status_code in (200, 302, 403, 404)
    assert trail() == before


def test_a_call_that_fails_leaves_nothing(scene, monkeypatch):
    """The event and what it tells of are one transaction."""

    def fail(*args, **kwargs):
        raise RuntimeError

    grant = scene.world.grant()
    token = scene.world.token(grant)
    monkeypatch.setattr(GrantEvent, "save", fail)
    path = f"/gm/{scene.world.service.pk}/{grant.grant_id}"
    with pytest.raises(AssertionError):
        scene.api(path, api_token=token, method="delete")
    grant.refresh_from_db()
    assert grant.revoked_at is None
