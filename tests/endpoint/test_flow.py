"""Every row of the contract's section 4, through HTTP; and what holds for all of them."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

import psycopg.errors
import pytest
from django.db import InterfaceError, OperationalError

from grant_management.api import gm
from grant_management.db.commits import OutcomeUnknown
from grant_management.endpoint import flow
from grant_management.models import Actor, Grant, GrantEvent, Reason, UsedProof
from grant_management.protocol.results import Action, Result

from ..world import ENDPOINT, Key, certificate, make_world, now

ALGS = "ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512 EdDSA Ed25519"


@dataclass
class Scenario:
    """How a result comes about: members of the call, and the challenge that goes with it."""

    members: dict
    challenge: dict | None = None


def bearer(error, **more):
    return {"Bearer": {"error": error, **more}}


def dpop(error, **more):
    return {"DPoP": {"error": error, "algs": ALGS, **more}}


def query(world, grant=None, **members):
    grant = grant or world.grant()
    token = members.pop("accessToken", None) or world.token(grant)
    return {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token, **members}


def bound(world, key, **fields):
    """A call with a DPoP-bound token, and its proof."""
    grant = world.grant()
    token = world.token(grant, jkt=key.jkt, **fields)
    proof = key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}")
    return query(world, grant, accessToken=token, dpop=proof)


def queried(world):
    return Scenario(query(world))


def revoked(world):
    return Scenario(query(world, gmAction="REVOKE"))


def gm_action_missing(world):
    return Scenario(query(world, gmAction=""), bearer("invalid_request"))


def gm_action_unknown(world):
    return Scenario(query(world, gmAction="query"), bearer("invalid_request"))


def gm_action_not_here(world):
    return Scenario(query(world, gmAction="MERGE"), bearer("invalid_request"))


def grant_id_missing(world):
    return Scenario(query(world) | {"grantId": None}, bearer("invalid_request"))


def access_token_missing(world):
    challenge = {"Bearer": {"realm": "Retail"}, "DPoP": {"algs": ALGS}}
    return Scenario(query(world) | {"accessToken": ""}, challenge)


def access_token_unknown(world):
    other = make_world(world.service.organization)
    return Scenario(query(world, accessToken=other.token()), bearer("invalid_token"))


def access_token_expired(world):
    token = world.token(expires_at=now() - timedelta(seconds=1))
    return Scenario(query(world, accessToken=token), bearer("invalid_token"))


def access_token_revoked(world):
    token = world.token(revoked_at=now(), jkt=Key().jkt)
    return Scenario(query(world, accessToken=token), dpop("invalid_token"))


def token_grant_dead(world):
    token = world.token(world.grant(expires_at=now()))
    return Scenario(query(world, accessToken=token), bearer("invalid_token"))


def client_locked(world):
    locked = world.client_named("locked", locked_at=now())
    token = world.token(client=locked)
    return Scenario(query(world, accessToken=token), bearer("invalid_token"))


def certificate_missing(world):
    token = world.token(x5t_s256=certificate()[1])
    return Scenario(query(world, accessToken=token), bearer("invalid_token"))


def certificate_unreadable(world):
    token = world.token(x5t_s256=certificate()[1])
    members = query(world, accessToken=token, clientCertificate="no certificate")
    return Scenario(members, bearer("invalid_token"))


def certificate_differs(world):
    token = world.token(x5t_s256=certificate()[1])
    members = query(world, accessToken=token, clientCertificate=certificate()[0])
    return Scenario(members, bearer("invalid_token"))


def proof_missing(world):
    return Scenario(bound(world, Key()) | {"dpop": ""}, dpop("invalid_token"))


def htu_unknown(world):
    return Scenario(bound(world, Key()) | {"htu": "/gm"}, dpop("invalid_request"))


def proof_invalid(world):
    return Scenario(bound(world, Key()) | {"htm": "PUT"}, dpop("invalid_dpop_proof"))


def proof_key_differs(world):
    members = bound(world, Key())
    htu = f"{ENDPOINT}/{members['grantId']}"
    members["dpop"] = Key().proof(members["accessToken"], htu=htu)
    return Scenario(members, dpop("invalid_token"))


def nonce_required(world):
    return Scenario(bound(world, Key()) | {"dpopNonceRequired": True}, dpop("use_dpop_nonce"))


def proof_replayed(world):
    from grant_management.endpoint.context import Context
    from grant_management.endpoint.flow import process
    from grant_management.endpoint.messages import GMRequest

    members = bound(world, Key())
    first = GMRequest(
        members["accessToken"], "", members["dpop"], gm_action="QUERY", grant_id=members["grantId"]
    )
    assert process(Context(world.service, first, now())).result is Result.QUERIED
    return Scenario(members, dpop("invalid_dpop_proof"))


def scope_missing(world):
    grant = world.grant()
    token = world.token(grant, scopes="grant_management_revoke openid")
    challenge = bearer("insufficient_scope", scope="grant_management_query")
    return Scenario(query(world, grant, accessToken=token), challenge)


def grant_not_found(world):
    grant = world.grant(pending=True)
    return Scenario(query(world, grant, accessToken=world.token()), bearer("invalid_grant_id"))


def grant_of_other_client(world):
    grant = world.grant(client=world.client_named("other"))
    return Scenario(query(world, grant, accessToken=world.token()), bearer("insufficient_scope"))


def grant_of_other_subject(world):
    token = world.token(world.grant(subject="user-2"))
    return Scenario(query(world, accessToken=token), bearer("insufficient_scope"))


def server_failed(world, monkeypatch):
    monkeypatch.setattr(gm, "answer_call", _raising(ZeroDivisionError))
    return Scenario(query(world), bearer("server_error"))


def database_away(world, monkeypatch):
    monkeypatch.setattr(flow, "run_steps", _raising(OperationalError))
    return Scenario(query(world), bearer("server_error"))


def database_busy(world, monkeypatch):
    monkeypatch.setattr(flow, "run_steps", _raising(OperationalError, "55P03"))
    return Scenario(query(world), bearer("server_error"))


def outcome_unknown(world, monkeypatch):
    monkeypatch.setattr(flow, "run_steps", _raising(OutcomeUnknown))
    return Scenario(query(world), bearer("server_error"))


def database_conflict(world, monkeypatch):
    monkeypatch.setattr(flow, "run_steps", _raising(OperationalError, "40P01"))
    return Scenario(query(world), bearer("server_error"))


def _raising(error, sqlstate=None):
    def fail(*args, **kwargs):
        cause = psycopg.errors.lookup(sqlstate)() if sqlstate else None
        raise error("".join(reversed("terces"))) from cause

    return fail


IN_PROCESS = [result for result in Result if result.code.startswith("A27") or "A28" in result.code]


@pytest.mark.parametrize("result", IN_PROCESS, ids=lambda result: result.name)
def test_result(result, world, call, monkeypatch):
    """One call for every result that a readable request can have."""
    make = globals()[result.name.lower()]
    extra = [monkeypatch] if "monkeypatch" in make.__code__.co_varnames else []
    scenario = make(world, *extra)
    answer = call(**scenario.members)
    assert (answer.status, answer.action, answer.code) == (
        result.status,
        result.action,
        result.code,
    )
    assert answer.body["resultMessage"].startswith(f"[{result.code}] ")
    if scenario.challenge is not None:
        challenges = answer.challenges
        for parameters in challenges.values():
            description = parameters.pop("error_description", None)
            assert description in (None, answer.body["resultMessage"])
            assert (description is None) == (result is Result.ACCESS_TOKEN_MISSING)
        assert challenges == scenario.challenge
    for secret in (scenario.members["accessToken"], scenario.members.get("dpop")):
        assert not secret or secret not in str(answer.body)


def test_all_results_have_a_scenario():
    """A code without one is a code that nobody has seen."""
    from ..api import (
        test_authlete,
        test_plain_words,
        test_provisioning,
        test_self_service,
        test_shared_signals,
        test_store,
        test_transport,
        test_webhooks,
    )
    from ..events import test_shared_signals as test_signals
    from ..events import test_stream

    homes = (test_authlete, test_provisioning, test_store, test_transport)
    homes += (test_plain_words, test_self_service, test_shared_signals, test_webhooks)
    homes += (test_stream, test_signals)
    elsewhere = {name for home in homes for name in vars(home)}

    for result in Result:
        home = globals() if result in IN_PROCESS else elsewhere
        name = result.name.lower()
        assert name in home or f"test_{name}" in home, result


def test_codes_follow_the_grammar():
    """`A`, a family, a class, two digits; one code means one thing."""
    for result in Result:
        assert len(result.code) == 7
        assert result.code[0] == "A"
        assert result.code[4] in "0123"
    meanings = {(result.code, result.error) for result in Result}
    assert len(meanings) == len({code for code, _ in meanings})


def test_actions_are_the_seven():
    assert {result.action for result in Result} - {None} == set(Action)


def test_both_routes_answer(world, post):
    for path in (
        f"/api/{world.service.pk}/gm",
        f"/api/{world.service.pk}/auth/gm",
        f"/api/0{world.service.pk}/gm",
    ):
        answer = post(path, query(world), api_token=world.api_token)
        assert answer.action == "OK"


def test_form_body(world, post):
    members = query(world)
    body = "&".join(f"{name}={value}" for name, value in members.items()).encode()
    path = f"/api/{world.service.pk}/gm"
    form = "application/x-www-form-urlencoded"
    answer = post(path, body, api_token=world.api_token, content_type=form)
    assert answer.action == "OK"
    twice = post(path, body + b"&grantId=x", api_token=world.api_token, content_type=form)
    assert (twice.status, twice.code) == (400, "A126202")
    flag = post(path, body + b"&dpopNonceRequired=1", api_token=world.api_token, content_type=form)
    assert (flag.status, flag.code) == (400, "A126202")


def test_revoke_kills_grant_and_tokens(world, call):
    """At once, in one transaction, with one event; again is NOT_FOUND, or a dead token."""
    grant = world.grant()
    token, own = world.token(grant), world.token()
    world.refresh_token(grant)
    members = {"grantId": grant.grant_id, "gmAction": "REVOKE"}
    answer = call(accessToken=token, **members)
    assert answer.body == {
        "resultCode": "A277001",
        "resultMessage": "[A277001] The grant was revoked.",
        "action": "NO_CONTENT",
    }
    assert call(accessToken=token, **members).code == "A280303"
    assert call(accessToken=own, **members).code == "A283301"
    assert call(accessToken=own, gmAction="QUERY", grantId=grant.grant_id).code == "A283301"
    event = GrantEvent.objects.get()
    assert (event.kind, event.actor_kind, event.actor) == ("revoked", "client", "app-1")
    assert (event.grant_id, event.subject) == (grant.grant_id, "user-1")
    grant.refresh_from_db()
    assert (grant.access_generation, grant.refresh_generation) == (1, 1)


def test_revoke_can_leave_access_tokens_alone(world, call):
    """It is decided when it happens: changing the setting later changes nothing."""
    world.service.revoke_access_tokens = False
    world.service.save()
    grant = world.grant()
    token = world.token(grant)
    assert call(accessToken=token, gmAction="REVOKE", grantId=grant.grant_id).action == "NO_CONTENT"
    world.service.revoke_access_tokens = True
    world.service.save()
    assert call(accessToken=token, gmAction="QUERY", grantId=grant.grant_id).code == "A283301"
    assert call(accessToken=token, gmAction="QUERY", grantId=world.grant().grant_id).action == "OK"
    grant.refresh_from_db()
    assert grant.refresh_generation == 1
    Grant.objects.update(expires_at=now())
    assert call(accessToken=token, gmAction="QUERY", grantId=grant.grant_id).code == "A280303"


def test_refused_revoke_changes_nothing(world, call):
    grant = world.grant(subject="user-2")
    token = world.token(subject="user-1")
    assert call(accessToken=token, gmAction="REVOKE", grantId=grant.grant_id).code == "A284302"
    grant.refresh_from_db()
    assert grant.revoked_at is None
    assert not GrantEvent.objects.exists()


def test_content_has_its_members_in_order(world, call):
    grant = world.grant(
        scopes='[{"scope":"contacts read","resource":["https://rs.example.com/api"]},{"scope":"openid"}]',
        claims='["email","given_name"]',
        authorization_details='[{"type":"account_information","z":1.10,"a":[1e2]}]',
    )
    answer = call(accessToken=world.token(grant), gmAction="QUERY", grantId=grant.grant_id)
    assert answer.body["responseContent"] == (
        '{"scopes":[{"scope":"contacts read","resource":["https://rs.example.com/api"]},{"scope":"openid"}],'
        '"claims":["email","given_name"],'
        '"authorization_details":[{"type":"account_information","z":1.10,"a":[1e2]}]}'
    )


def test_timestamps_where_the_service_shows_them(world, call):
    grant = world.grant(
        updated_by="client", expires_at=now() + timedelta(days=1), last_updated_at=now()
    )
    token = world.token(grant)
    plain = call(accessToken=token, gmAction="QUERY", grantId=grant.grant_id).content
    assert plain.keys() == {"scopes"}
    world.service.show_timestamps = True
    world.service.save()
    shown = call(accessToken=token, gmAction="QUERY", grantId=grant.grant_id).content
    assert list(shown) == ["scopes", "created_at", "expires_at", "last_updated_at", "updated_by"]
    assert shown["created_at"] == int(grant.created_at.timestamp())


def test_empty_grant_is_an_empty_object(world, call):
    grant = world.grant(scopes="")
    answer = call(accessToken=world.token(grant), gmAction="QUERY", grantId=grant.grant_id)
    assert answer.body["responseContent"] == "{}"


def test_client_credentials_token_manages_every_grant_of_its_client(world, call):
    for subject in ("user-1", "user-2", None):
        answer = call(**query(world, world.grant(subject=subject), accessToken=world.token()))
        assert answer.action == "OK"


def test_grant_without_subject_is_refused_to_a_token_with_one(world, call):
    answer = call(
        **query(world, world.grant(subject=None), accessToken=world.token(subject="user-1"))
    )
    assert answer.code == "A284302"


def test_ownership_by_client_alone(world, call):
    world.service.ownership = "client"
    world.service.save()
    answer = call(
        **query(world, world.grant(subject="user-2"), accessToken=world.token(subject="user-1"))
    )
    assert answer.action == "OK"


def test_token_is_never_trimmed(world, call):
    members = query(world)
    for token in (f" {members['accessToken']}", f"{members['accessToken']} "):
        assert call(**members | {"accessToken": token}).code == "A279306"


def test_digest_is_no_token(world, call):
    """What a thief finds in the database opens nothing."""
    from grant_management.protocol.digests import sha256

    members = query(world)
    stolen = sha256(members["accessToken"]).hex()
    assert call(**members | {"accessToken": stolen}).code == "A279306"


@pytest.mark.parametrize("of_client", [False, True])
def test_cut_off_kills_what_came_before(world, call, of_client):
    """Grant, its token, and a token that hangs on none; what comes after lives."""
    old, old_token = world.grant(), world.token()
    own_token = world.token(old)
    target = world.client if of_client else world.service
    target.move_cut_off(Actor.command("test"), Reason("test"), before=now() - timedelta(seconds=60))
    assert call(**query(world, old, accessToken=own_token)).code == "A280302"
    assert call(**query(world, old, accessToken=old_token)).code == "A280302"
    fresh = world.token(issued_at=now())
    assert call(**query(world, old, accessToken=fresh)).code == "A283301"
    on_old = world.token(old, issued_at=now())
    assert call(**query(world, old, accessToken=on_old)).code == "A280303"
    new = world.grant(created_at=now())
    assert call(**query(world, new, accessToken=fresh)).action == "OK"


def test_cut_off_only_moves_forward(world):
    actor, why = Actor.command("test"), Reason("test")
    first = now()
    assert world.service.move_cut_off(actor, why, before=first)
    assert not world.service.move_cut_off(actor, why, before=first - timedelta(days=1))
    assert world.service.not_before == first
    assert GrantEvent.objects.filter(kind="cut_off").count() == 1


def test_token_at_the_moment_of_the_cut_off_lives(world, call):
    """Strictly before: what was issued at that very moment came after it."""
    moment = now().replace(microsecond=0)
    world.service.move_cut_off(Actor.command("test"), Reason(""), before=moment)
    token = world.token(issued_at=moment)
    assert call(**query(world, world.grant(created_at=moment), accessToken=token)).action == "OK"


def test_generation_decides(world, call):
    """Replace raises both generations: tokens of an earlier one are dead."""
    grant = world.grant(access_generation=1)
    assert call(**query(world, grant, accessToken=world.token(grant))).code == "A280303"
    assert call(**query(world, grant, accessToken=world.token(grant, generation=1))).action == "OK"


def test_unbound_token_ignores_proof_and_certificate(world, call):
    assert call(**query(world, dpop="garbage", clientCertificate="garbage", htu="?")).action == "OK"
    assert not UsedProof.objects.exists()


def test_explicit_nulls_and_unknown_members(world, call):
    answer = call(
        **query(world), dpop=None, htm=None, htu=None, dpopNonceRequired=False, subject="x"
    )
    assert answer.action == "OK"


def test_grant_id_of_another_alphabet_is_not_found(world, call):
    for grant_id in ("ä" * 300, secrets.token_hex(2_000), "' OR 1=1 --"):
        assert call(**query(world) | {"grantId": grant_id}).code == "A283301"


def test_interface_error_is_the_database_too(world, call, monkeypatch):
    monkeypatch.setattr(flow, "run_steps", _raising(InterfaceError))
    answer = call(**query(world))
    assert (answer.status, answer.code) == (500, "A277102")


def test_failure_tells_the_log_and_nobody_else(world, call, monkeypatch, caplog):
    monkeypatch.setattr(flow, "run_steps", _raising(ValueError))
    answer = call(**query(world))
    assert (answer.status, answer.code) == (500, "A277101")
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text + str(answer.body)
