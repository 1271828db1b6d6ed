"""Logging of a call, where its service asks for it: and that it decides and harms nothing."""

import json
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client as HTTP

from grant_management.api import last_use
from grant_management.models import AccessToken, ApiToken, Call, Credentials, Grant

from ..world import ENDPOINT, Key, certificate, make_world, now


@pytest.fixture
def logged(world):
    world.service.call_log_size = 100
    world.service.save()
    return world


def query(call, grant, token, **members):
    return call(gmAction="QUERY", grantId=grant.grant_id, accessToken=token, **members)


def states():
    return [(step["title"], step["state"]) for step in Call.objects.get().steps]


def test_no_call_and_no_use_is_noted_unless_asked_for(world, call):
    grant = world.grant()
    query(call, grant, world.token(grant))
    assert not Call.objects.exists()
    assert AccessToken.objects.get().last_used_at is None
    assert Grant.objects.get().last_used_at is None


def test_a_call_that_passed(logged, call):
    grant = logged.grant()
    query(call, grant, logged.token(grant))
    row = Call.objects.get()
    assert (row.action, row.code, row.client_id) == ("QUERY", "A277001", "app-1")
    assert row.grant_id == grant.grant_id
    assert {state for _, state in states()} == {"passed", "not needed"}
    assert "responseContent" not in row.answer


def test_a_call_that_was_refused(logged, call):
    """Each check in its order; and what it compared."""
    grant, key = logged.grant(), Key()
    token = logged.token(grant, jkt=key.jkt)
    proof = key.proof(token, htu="https://other.example.com/gm?secret=1")
    answer = query(call, grant, token, dpop=proof)
    row = Call.objects.get()
    assert row.answer["resultMessage"] == answer.body["resultMessage"]
    failed = next(step for step in row.steps if step["state"] == "refused")
    assert failed["why"] == answer.body["resultMessage"]
    assert failed["expected"].endswith(f"{ENDPOINT}/{grant.grant_id}")
    assert failed["presented"] == "GET https://other.example.com/gm"
    after = [state for _, state in states()][row.steps.index(failed) + 1 :]
    assert set(after) == {"not reached"}


def test_no_credential_is_in_it(logged, call):
    grant, key = logged.grant(), Key()
    pem, thumbprint = certificate()
    token = logged.token(grant, jkt=key.jkt, x5t_s256=thumbprint)
    proof = key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}")
    query(call, grant, token, dpop=proof, clientCertificate=pem)
    query(call, grant, token, dpop=proof, clientCertificate="x")
    call(gmAction=token, grantId=token, accessToken="unknown-token")
    call(gmAction="QUERY", grantId=token, accessToken=token)
    assert Call.objects.count() == 4
    for row in Call.objects.all():
        held = json.dumps([row.answer, row.steps, row.grant_id, row.client_id, row.action])
        for secret in (token, proof, pem, "unknown-token", proof.split(".")[1]):
            assert secret not in held


def test_the_log_is_bounded(logged, call):
    logged.service.call_log_size = 5
    logged.service.save()
    other = make_world(call_log_size=5)
    Call.objects.create(service=other.service, at=now(), code="A277001")
    for _ in range(8):
        call(gmAction="QUERY", grantId="x", accessToken="x")
    assert Call.objects.filter(service=logged.service).count() == 5
    assert Call.objects.filter(service=other.service).count() == 1


class TestCallsThatAnybodyCanMake:
    """They have room for a tenth of the log, and what the others leave free of it."""

    @pytest.fixture
    def small(self, logged):
        logged.service.call_log_size = 50
        logged.service.save()
        return logged

    def anonymous(self, world, number, **headers):
        for _ in range(number):
            HTTP().get(f"/gm/{world.service.pk}/x", headers=headers)

    def revoke(self, world, call):
        grant = world.grant()
        token = world.token(grant)
        call(gmAction="REVOKE", grantId=grant.grant_id, accessToken=token)
        return Call.objects.get(grant_id=grant.grant_id)

    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer unknown"}], ids=str)
    def test_they_push_out_no_other(self, small, call, headers):
        looked_for = self.revoke(small, call)
        self.anonymous(small, 60, **headers)
        assert Call.objects.filter(pk=looked_for.pk).exists()
        Call.objects.trim(small.service.pk, 50)
        assert Call.objects.count() == 50

    def test_a_full_log(self, small, call):
        """The oldest of them is kept, whatever comes of the others."""
        looked_for = self.revoke(small, call)
        token = small.token(small.grant(), value="t")
        for _ in range(49):
            call(gmAction="QUERY", grantId="x", accessToken=token)
        self.anonymous(small, 60)
        Call.objects.trim(small.service.pk, 50)
        assert Call.objects.filter(pk=looked_for.pk).exists()
        assert Call.objects.exclude(client_id="").count() == 50
        assert Call.objects.filter(client_id="").count() == 5

    def test_none_is_kept_where_there_is_no_log(self, small, call):
        self.revoke(small, call)
        self.anonymous(small, 3)
        Call.objects.trim(small.service.pk, 0)
        assert not Call.objects.exists()


def test_one_of_many_is_logged(logged, call, settings, monkeypatch):
    settings.GRANT_MANAGEMENT = {"CALL_LOG_SAMPLE": 3}
    drawn = iter([0, 1, 2, 0, 1, 2])
    monkeypatch.setattr(
        "grant_management.endpoint.call_log.secrets.randbelow", lambda limit: next(drawn)
    )
    for _ in range(6):
        call(gmAction="QUERY", grantId="x", accessToken="x")
    assert Call.objects.count() == 2


def test_a_log_that_fails_harms_no_call(logged, call, monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise DatabaseError("value of a row")

    monkeypatch.setattr(Call, "save", fail)
    grant = logged.grant()
    answer = call(gmAction="REVOKE", grantId=grant.grant_id, accessToken=logged.token(grant))
    assert answer.action == "NO_CONTENT"
    assert Grant.objects.get().revoked_at is not None
    assert "DatabaseError" in caplog.text
    assert "value of a row" not in caplog.text


class TestLastUsed:
    @pytest.fixture
    def tracked(self, world):
        world.service.track_last_used = True
        world.service.save()
        return world

    def test_once_a_minute(self, tracked, call):
        grant = tracked.grant()
        token = tracked.token(grant)
        query(call, grant, token)
        rows = [AccessToken.objects.get(), Grant.objects.get(), ApiToken.objects.get()]
        first = [row.last_used_at for row in rows]
        assert None not in first
        query(call, grant, token)
        for row, at in zip(rows, first, strict=True):
            row.refresh_from_db()
            assert row.last_used_at == at
            type(row).objects.filter(pk=row.pk).update(last_used_at=at - timedelta(minutes=2))
        last_use._noted.clear()  # what this process remembers of API tokens
        query(call, grant, token)
        for row, at in zip(rows, first, strict=True):
            row.refresh_from_db()
            assert row.last_used_at > at

    def test_a_refused_call_uses_nothing(self, tracked, call):
        grant = tracked.grant()
        tracked.token(grant, value="t", scopes="")
        query(call, grant, "t")
        assert AccessToken.objects.get().last_used_at is None

    def test_introspection_uses_the_token(self, tracked):
        tracked.token(tracked.grant(), value="t")
        path = f"/api/{tracked.service.pk}/auth/introspection"
        HTTP().post(
            path,
            {"token": "t"},
            content_type="application/json",
            headers={"Authorization": f"Bearer {tracked.api_token}"},
        )
        assert AccessToken.objects.get().last_used_at is not None

    def test_statements_at_rest(self, tracked, call, django_assert_num_queries):
        """Used a moment ago: the notes read, and write nothing."""
        grant = tracked.grant()
        token = tracked.token(grant)
        query(call, grant, token)
        with django_assert_num_queries(5):  # 1 of the call, 2 of the note, and its savepoint's 2
            query(call, grant, token)


def test_an_api_token_is_found_once(world, call, monkeypatch):
    """The note of a call asks for no API token again."""
    asked = []
    original = Credentials.find

    def find(*args):
        asked.append(args)
        return original(*args)

    monkeypatch.setattr(Credentials, "find", find)
    call(gmAction="QUERY", grantId="x", accessToken="x")
    assert len(asked) == 1
