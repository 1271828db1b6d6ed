"""When and from where an API token was used last: noted aside, and no call waits for it."""

import json
import sqlite3
import threading
import urllib.request
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test import Client as HTTP

from grant_management.api import last_use
from grant_management.models import ApiToken

from ..standalone import manage, serving
from ..world import now, organization_token


@pytest.fixture
def query(world, post):
    grant = world.grant()
    body = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": world.token(grant)}

    def send(**headers):
        path = f"/api/{world.service.pk}/gm"
        return post(path, body, api_token=world.api_token, **headers)

    return send


def test_a_query_is_one_statement(query, django_assert_num_queries):
    """But for the first of each minute."""
    assert query().action == "OK"
    with django_assert_num_queries(1):
        query()


def test_the_first_of_a_minute_pays_at_most(query, django_assert_max_num_queries):
    with django_assert_max_num_queries(1 + 4):  # the note, its hurry, and a savepoint in tests
        query()


def test_once_a_minute(query):
    query()
    first = ApiToken.objects.get()
    assert first.last_used_from == "127.0.0.1"
    query()
    assert ApiToken.objects.get().last_used_at == first.last_used_at
    a_minute_passes()
    query()
    assert ApiToken.objects.get().last_used_at > first.last_used_at


def a_minute_passes():
    """For the rows, and for what this process remembers."""
    ago = timedelta(minutes=2)
    for token in ApiToken.objects.exclude(last_used_at=None):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=token.last_used_at - ago)
    last_use._noted.update({key: at - ago for key, at in last_use._noted.items()})


def test_what_another_process_noted_is_not_written_again(query, world, django_assert_num_queries):
    ApiToken.objects.update(last_used_at=now(), last_used_from="192.0.2.9")
    with django_assert_num_queries(1):
        query()
    assert ApiToken.objects.get().last_used_from == "192.0.2.9"


def test_a_refused_caller_uses_nothing(world, post):
    other = world.client_named("x")
    assert other
    assert post(f"/api/{world.service.pk + 1}/gm", {}, api_token=world.api_token).status != 200
    assert ApiToken.objects.get().last_used_at is None


def test_a_refused_call_is_a_use(world, post):
    post(f"/api/{world.service.pk}/gm", {}, api_token=world.api_token)
    assert ApiToken.objects.get().last_used_at is not None


@pytest.mark.parametrize("path", ["/api/servicetoken/all", "/api/service/get/list"])
def test_the_other_doors(world, path):
    value = organization_token(world, can_manage_tokens=True, can_manage_services=True)
    headers = {"Authorization": f"Bearer {value}"}
    if "list" in path:
        answer = HTTP().get(path, headers=headers)
    else:
        answer = HTTP().post(path, {}, content_type="application/json", headers=headers)
    assert answer.status_code == 200
    assert ApiToken.objects.get(service=None).last_used_at is not None


@pytest.mark.parametrize("error", [DatabaseError("secret value"), OperationalError("secret value")])
def test_its_failure_changes_no_answer(query, monkeypatch, caplog, error):
    def fail(*args):
        raise error

    monkeypatch.setattr(ApiToken, "note_use", fail)
    assert query().action == "OK"
    assert "The note of an API token's use failed" in caplog.text
    assert "secret value" not in caplog.text
    caplog.clear()
    assert query().action == "OK"  # and this process tries again in a minute
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        ({"REMOTE_ADDR": "2001:db8::1"}, "2001:db8::1"),
        ({"REMOTE_ADDR": ""}, ""),
        ({"REMOTE_ADDR": "unix:"}, ""),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.7"}, "192.0.2.7"),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "<script>"}, ""),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "192.0.2.7"}, "192.0.2.1"),
    ],
)
def test_from_where(query, settings, headers, known):
    settings.GRANT_MANAGEMENT = {"TRUSTED_PROXIES": ["10.0.0.0/8"], "UNDERSCORES_ARE_DROPPED": True}
    assert query(**headers).action == "OK"
    assert ApiToken.objects.get().last_used_from == known


def test_memory_is_bounded(monkeypatch, query, world):
    monkeypatch.setattr(last_use, "MOST", 1)
    last_use._noted.clear()
    last_use._noted["another"] = now()
    query()
    assert list(last_use._noted) == [ApiToken.objects.get().pk]


@pytest.mark.skipif("config.getoption('--db') != 'postgresql'", reason="of PostgreSQL alone")
@pytest.mark.django_db(transaction=True)
def test_it_waits_for_no_row(world, post):
    """Somebody holds the row of the API token; the call is answered, and nothing is noted."""
    held, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            list(ApiToken.objects.select_for_update())
            held.set()
            done.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    try:
        answer = post(f"/api/{world.service.pk}/gm", {}, api_token=world.api_token)
        assert answer.status == 200
        assert not done.is_set()
        assert ApiToken.objects.get().last_used_at is None
    finally:
        done.set()
        holder.join()


@pytest.mark.skipif("config.getoption('--db') != 'sqlite'", reason="of SQLite alone")
def test_it_waits_for_no_writer(tmp_path):
    """Somebody holds SQLite's one lock for writes; the call is answered, and nothing is noted."""
    file = tmp_path / "db.sqlite3"
    url = f"sqlite:///{file}"
    manage("migrate", "-v", "0", DATABASE_URL=url)
    manage("create_organization", "Bank", "--id", 1, DATABASE_URL=url)
    manage("create_service", "--organization", 1, "--name", "x", "--id", 1, DATABASE_URL=url)
    said = manage("issue_api_token", "--service", 1, DATABASE_URL=url)
    headers = {"Authorization": f"Bearer {said.split()[-1]}", "Content-Type": "application/json"}
    body = json.dumps({"gmAction": "QUERY", "grantId": "x", "accessToken": "x"}).encode()
    with serving(url) as port, closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/1/gm", body, headers)
        with urllib.request.urlopen(request, timeout=15) as answer:  # a writer waits for 20 s
            assert b"A279306" in answer.read()
        other.execute("ROLLBACK")
        used = "SELECT last_used_at, last_used_from FROM grant_management_apitoken"
        assert other.execute(used).fetchall() == [(None, "")]
