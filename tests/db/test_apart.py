"""Services in two databases: what each database has, what reaches it, and what stops with it.

Run with `--apart`, which gives a run the second database.
"""

import contextlib
import json
import sys
from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError
from django.db import connections
from django.test import Client as HTTP

from grant_management.checks.apart import check_apart
from grant_management.conf import Settings
from grant_management.db import apart
from grant_management.management.copies import check_copies
from grant_management.models import (
    AccessToken,
    ApiToken,
    Grant,
    GrantEvent,
    Organization,
    OrganizationEvent,
    Reason,
    SelfServiceToken,
    Service,
    Stream,
)

from ..conftest import Answer
from ..management.test_commands import run
from ..world import BY_TEST, make_operator, make_world, now, organization_token

pytestmark = pytest.mark.skipif("apart" not in settings.DATABASES, reason="needs --apart")
HERE, THERE = 1001, 2002
MAP = {THERE: "apart"}
TENANTS = [
    model
    for model in apps.get_app_config("grant_management").get_models()
    if model._meta.model_name not in (*apart.FIRST, "service")
    and any(field.name == "service" for field in model._meta.fields)
]


@pytest.fixture(autouse=True)
def nothing_in_view(monkeypatch):
    """One service in each database; and a test says what it is about, as any other code."""
    monkeypatch.setattr(Settings.service_databases, "default", MAP)
    with apart.nothing():
        yield


def tenant(number):
    with apart.service(number):
        return make_world(id=number)


def granted(world):
    """A new grant and its access token."""
    with apart.service(world.service.pk):
        grant = world.grant()
        return grant, world.token(grant)


@pytest.fixture
def post():
    """Send any request of the API; its answers have numbers and lists, too."""

    def send(path, body=None, *, api_token, method="POST", **headers):
        headers["HTTP_AUTHORIZATION"] = f"Bearer {api_token}"
        text = "" if body is None else json.dumps(body)
        response = HTTP(raise_request_exception=False).generic(
            method, path, text, "application/json", **headers
        )
        return Answer(response.status_code, response.headers, response.json())

    return send


@pytest.fixture
def both(db):
    return tenant(HERE), tenant(THERE)


def call(post, world, action, grant, token):
    members = {"gmAction": action, "grantId": grant.grant_id, "accessToken": token}
    return post(f"/api/{world.service.pk}/gm", members, api_token=world.api_token)


def work(post, world):
    """A QUERY, a token, a person's token and a REVOKE."""
    grant, token = granted(world)
    assert call(post, world, "QUERY", grant, token).code == "A277001"
    path = f"/api/{world.service.pk}/auth/token/create"
    members = {"clientIdentifier": "app-1", "grantType": "CLIENT_CREDENTIALS"}
    assert post(path, members, api_token=world.api_token, HTTP_IDEMPOTENCY_KEY="k").status == 200
    assert call(post, world, "REVOKE", grant, token).status == 200
    with apart.service(world.service.pk):
        grant.refresh_from_db()
    assert grant.revoked_at is not None


def test_rows_are_in_their_own_database(both, post):
    for world in both:
        work(post, world)
    for alias, number in (("default", HERE), ("apart", THERE)):
        found = {model: owners(model, alias) for model in TENANTS}
        assert set().union(*found.values()) == {number}
        assert found[Grant] == found[AccessToken] == found[GrantEvent] == {number}
    assert set(ApiToken.objects.values_list("service_id", flat=True)) == {HERE, THERE}


def owners(model, alias):
    return set(model._base_manager.using(alias).values_list("service_id", flat=True))


def test_no_statement_of_a_call_reaches_the_others_database(both, post):
    """At the first one there is what is looked up first, and nothing that services own."""
    with statements("apart") as sent:
        work(post, both[0])
    assert sent == []
    owned = [model._meta.db_table for model in TENANTS]
    with statements("default") as sent:
        work(post, both[1])
    assert sent
    assert [sql for sql in sent if any(table in sql for table in owned)] == []


@contextlib.contextmanager
def statements(alias):
    sent = []

    def note(execute, sql, params, many, context):
        sent.append(sql)
        return execute(sql, params, many, context)

    with connections[alias].execute_wrapper(note):
        yield sent


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_database_that_is_away_stops_its_own_services_alone(post, monkeypatch):
    here, there = tenant(HERE), tenant(THERE)
    of_here, of_there = granted(here), granted(there)
    with away("apart", monkeypatch):
        assert call(post, here, "QUERY", *of_here).code == "A277001"
        answer = call(post, there, "QUERY", *of_there)
        assert answer.code == "A277102"
        assert post("/api/2002/gm", {}, api_token="unknown").status == 401
        with pytest.raises(CommandError, match="apart"):
            run("purge_expired")
    assert call(post, there, "QUERY", *of_there).code == "A277001"


@contextlib.contextmanager
def away(alias, monkeypatch):
    """Its server cannot be reached; its file is in a folder that does not exist."""
    lost = {"NAME": "/does/not/exist"} if connections[alias].vendor == "sqlite" else {"PORT": "1"}
    connections[alias].close()
    with monkeypatch.context() as patch:
        for name, value in lost.items():
            patch.setitem(connections[alias].settings_dict, name, value)
        yield
    connections[alias].close()
    breakers = sys.modules.get("grant_management.db.postgresql.base")
    if breakers is not None:
        breakers.BREAKERS.pop(alias, None)


@pytest.mark.parametrize("view", [apart.nothing, apart.first_alone])
def test_what_services_own_is_not_reached_without_one(both, view):
    with view():
        for read in (Grant.objects.first, lambda: both[1].grant()):
            with pytest.raises(apart.NotInView):
                read()
        assert Organization.objects.count() == 2


def test_a_row_goes_to_no_other_database(both):
    with apart.service(HERE), pytest.raises(apart.NotInView):
        both[1].grant()
    with apart.service(HERE), pytest.raises(apart.NotInView):
        both[1].service.save()
    assert not Grant.objects.using("default").exists()


def test_the_first_database_hides_its_copies(both):
    with apart.database("default"):
        assert [row.pk for row in Service.objects.all()] == [HERE]
    with apart.database("apart"):
        assert [row.pk for row in Service.objects.all()] == [THERE]
    assert {row.pk for row in Service.objects.all()} == {HERE, THERE}


def test_a_service_is_copied(both):
    """By each change; what is missing or another is told, and written again."""
    service = both[1].service
    with apart.service(THERE):
        service.change({"name": "New"}, BY_TEST, Reason("test"))
    assert copy_of(service).name == "New"
    with apart.service(THERE):
        service.hide(BY_TEST, Reason("test"))
    assert copy_of(service).deleted_at is not None
    assert list(check_copies("apart")) == []
    Service.objects.using("default").filter(pk=THERE).update(name="Old")
    assert [one.id for one in check_copies("apart")] == ["grant_management.W019"]
    assert run("copy_services") == {"services": 1}
    assert copy_of(service).name == "New"


def copy_of(service):
    return Service.objects.using("default").get(pk=service.pk)


def test_a_number_of_another_organizations_service_is_taken(both):
    copied = Service.objects.using("default").filter(pk=THERE)
    copied.update(organization=both[0].service.organization)
    with apart.service(THERE), pytest.raises(Exception, match="taken"):
        both[1].service.save()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_an_organization_is_copied_when_it_is_renamed():
    world = tenant(THERE)
    organization = Organization.objects.get()
    organization.rename("New", BY_TEST)
    copied = Organization.objects.using("apart").get(pk=world.service.organization_id)
    assert copied.name == "New"


def test_an_api_token_and_its_event(both, post):
    """Both are in the first database; the service's own has no digest of it."""
    grant, token = granted(both[1])
    issued, value = ApiToken.objects.issue(
        organization=both[1].service.organization, service=both[1].service, actor=BY_TEST
    )
    both[1].api_token = value
    assert call(post, both[1], "QUERY", grant, token).status == 200
    issued.revoke(BY_TEST)
    assert call(post, both[1], "QUERY", grant, token).status == 401
    told = OrganizationEvent.objects.values_list("kind", "details__serviceId")
    assert sorted(told) == [("api_token_issued", THERE), ("api_token_revoked", THERE)]
    assert not GrantEvent.objects.using("apart").filter(kind__startswith="api_token").exists()


def test_what_depends_on_an_api_token_ends_with_it(both):
    """Where the token lives elsewhere, its copy is a revoked one without a credential."""
    world = both[1]
    api_token = ApiToken.objects.get(service=THERE)
    ApiToken.objects.filter(pk=api_token.pk).update(can_issue_self_service=True)
    with apart.service(THERE):
        moment, lifetime = now(), timedelta(minutes=5)
        _row, value = SelfServiceToken.objects.issue(
            world.service, api_token, "user-1", "view", moment, lifetime
        )
        assert SelfServiceToken.objects.usable(world.service, value, moment)
    api_token.revoke(BY_TEST)
    with apart.service(THERE):
        assert SelfServiceToken.objects.usable(world.service, value, moment) is None
    copied = ApiToken.objects.using("apart").get()
    assert not copied.is_active(moment)
    assert bytes(copied.digest) != bytes(api_token.digest)


def test_a_stream_ends_with_its_api_token(both, post, settings):
    """Of the first database; the stream is in the other one, with a revoked copy of the token."""
    world, keys = both[1], ["A" * 43 + "="]
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"ENCRYPTION_KEYS": keys}
    api_token = ApiToken.objects.get(service=THERE)
    with apart.service(THERE):
        told = {"method": "poll", "events_requested": []}
        Stream.objects.register(api_token, world.service, BY_TEST, **told)
        assert Stream.objects.receiving(now()).count() == 1
    api_token.revoke(BY_TEST)
    with apart.service(THERE):
        assert Stream.objects.receiving(now()).count() == 0


def test_an_organization_token_opens_services_of_both(both, post):
    organization = both[0].service.organization
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings.service_databases, "default", MAP | {3003: "apart"})
        with apart.service(3003):
            sibling = make_world(organization, id=3003)
        api_token = organization_token(both[0], can_manage_services=True)
        for world in (both[0], sibling):
            world.api_token = api_token
            grant, token = granted(world)
            assert call(post, world, "QUERY", grant, token).code == "A277001"
        listed = post("/api/service/get/list", method="GET", api_token=api_token)
        assert listed.status == 200


def test_a_service_that_is_moved(both, post, monkeypatch, tmp_path):
    """By an export with the old map and an import with the new one."""
    world = both[0]
    grant, token = granted(world)
    dead, dead_token = granted(world)
    assert call(post, world, "REVOKE", dead, dead_token).status == 200
    file = tmp_path / "moved.jsonl"
    run("export_grants", "--service", HERE, "--output", file, as_json=False)
    monkeypatch.setattr(Settings.service_databases, "default", MAP | {HERE: "apart"})
    assert call(post, world, "QUERY", grant, token).code == "A458201"
    with pytest.raises(CommandError):
        run("import_grants", file)
    run("import_grants", file, "--service", HERE)
    assert call(post, world, "QUERY", grant, token).code == "A277001"
    assert call(post, world, "QUERY", dead, dead_token).action != "OK"
    assert list(check_copies("apart")) == []
    with pytest.raises(CommandError, match="--service"):
        run("export_grants", as_json=False)


def test_commands_find_the_database(both):
    for world in both:
        grant, _token = granted(world)
        number = world.service.pk
        assert run("revoke_grants", "--service", number, "--subject", "user-1")["revoked"] == 1
        with apart.service(number):
            grant.refresh_from_db()
        assert grant.revoked_at is not None


def test_the_console_shows_one_database(both, django_user_model):
    operator = make_operator(django_user_model)
    operator.is_superuser = True
    operator.save()
    http = HTTP()
    http.force_login(operator)
    grants = {world.service.pk: granted(world)[0] for world in both}
    lists = "/admin/grant_management/grant/"
    for number, grant in grants.items():
        page = http.get(lists, {"service": number}).content.decode()
        assert str(grant.pk) in page
        assert "Services of the database:" in page
        assert http.get(f"{lists}{grant.pk}/change/").status_code == 200
        other = next(one for one in grants.values() if one is not grant)
        listed = http.get(lists).content.decode()
        assert str(grant.pk) in listed
        assert str(other.pk) not in listed
        settings_page = f"/admin/grant_management/service/{number}/settings/"
        assert http.get(settings_page).status_code == 200
    for grant in grants.values():  # its page is found wherever it is
        assert http.get(f"{lists}{grant.pk}/change/").status_code == 200
        assert str(grant.pk) in http.get(lists).content.decode()
    assert http.get(f"{lists}no-key/change/").status_code == 404
    found = http.post("/admin/grant_management/grant/find/", {"text": "x"}).content.decode()
    assert "Only the services of the database" in found
    overview = "/admin/grant_management/dailycount/"
    http.get(overview, {"grant_management_database": "default"})
    assert str(grants[HERE].pk) in http.get(lists).content.decode()


def test_the_check_of_the_map(monkeypatch, settings):
    assert list(check_apart()) == []
    settings.DATABASE_ROUTERS = []
    assert [one.id for one in check_apart()] == ["grant_management.E039"]
    assert Settings.service_databases.is_usable({1001: "apart"})
    for wrong in ({"1001": "apart"}, {1001: "nowhere"}, {0: "apart"}, ["apart"], None):
        assert not Settings.service_databases.is_usable(wrong)
