"""Import and export: nothing is lost, and nothing comes back to life."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from grant_management.models import (
    AccessToken,
    ApiToken,
    Client,
    Grant,
    GrantEvent,
    Organization,
    RefreshToken,
    Service,
    TokenStatus,
)
from grant_management.protocol.digests import sha256

from ..ours import OURS, connection
from ..world import ENDPOINT, Key, certificate, make_world, now, organization_token

ORGANIZATION = {"type": "organization", "id": 1, "name": "Example Bank"}
SERVICE = {"type": "service", "id": 1001, "organization": 1, "name": "Retail"}
CLIENT = {"type": "client", "service": 1001, "client_id": "app-1", "name": "Budget App"}
GRANT = {
    "type": "grant",
    "service": 1001,
    "client_id": "app-1",
    "grant_id": "g-1",
    "subject": "user-1",
}
TOKEN = {
    "type": "access_token",
    "service": 1001,
    "client_id": "app-1",
    "grant_id": "g-1",
    "subject": "user-1",
    "token": "value-1",
    "scopes": ["grant_management_query"],
}
ALL = [ORGANIZATION, SERVICE, CLIENT, GRANT, TOKEN]


@pytest.fixture
def take(db, tmp_path, capsys):
    """Import these records; what was said to standard error."""

    def run(*records, **options):
        lines = [one if isinstance(one, str) else json.dumps(one) for one in records]
        number = sum(1 for line in "\n".join(lines).split("\n") if line.strip())
        lines.append(json.dumps({"type": "end", "records": number}))
        path = tmp_path / "records.jsonl"
        path.write_text("\n".join(lines) + "\n")
        errors = io.StringIO()
        try:
            call_command("import_grants", str(path), stdout=io.StringIO(), stderr=errors, **options)
        except CommandError as error:
            errors.write(f"{error}")
            run.failed = True
        else:
            run.failed = False
        return errors.getvalue().replace(str(path), "FILE")

    return run


def exported(**options):
    out = io.StringIO()
    call_command("export_grants", stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_the_contracts_example(take):
    """Every kind of record, as the documentation shows them."""
    assert not take(
        ORGANIZATION,
        SERVICE
        | {
            "grant_management_endpoint": "https://as.example.com/gm",
            "dpop_nonce_required": False,
            "dpop_nonce_duration": 300,
            "ownership": "client_and_subject",
        },
        {
            "type": "api_token",
            "kind": "service",
            "service": 1001,
            "token": "api-value",
            "description": "CI",
        },
        {"type": "api_token", "kind": "organization", "organization": 1, "token_sha256": "ab" * 32},
        CLIENT,
        GRANT
        | {
            "scopes": [{"scope": "openid email", "resource": ["https://rs.example.com"]}],
            "claims": ["email"],
            "authorization_details": [{"type": "t"}],
            "created_at": 1764000000,
            "expires_at": None,
            "revoked_at": None,
        },
        TOKEN
        | {
            "issued_at": 1764000000,
            "expires_at": 1764003600,
            "cnf": {"jkt": Key().jkt},
            "revoked_at": None,
        },
        {
            "type": "refresh_token",
            "service": 1001,
            "client_id": "app-1",
            "grant_id": "g-1",
            "subject": "user-1",
            "token_sha256": "cd" * 32,
            "issued_at": 1764000000,
            "expires_at": None,
        },
    )
    assert not take.failed
    assert (
        Grant.objects.get().scopes
        == '[{"scope":"email openid","resource":["https://rs.example.com"]}]'
    )
    assert ApiToken.objects.get(service=1001).digest == sha256("api-value")
    assert RefreshToken.objects.get().digest == bytes.fromhex("cd" * 32)
    event = GrantEvent.objects.get()
    assert (event.kind, event.service_id, event.details) == (
        "imported",
        1001,
        {"source": "records.jsonl"},
    )


def test_the_same_file_twice_changes_nothing(take):
    take(*ALL)
    before = exported()
    take(*ALL)
    assert exported() == before
    assert not take.failed


@pytest.fixture
def crowd(world):
    """A world with something of everything, dead and alive."""
    key, (pem, thumbprint) = Key(), certificate()
    world.service.show_timestamps = True
    world.service.realm = "Retail \u00e9"
    world.service.actions_supported = []
    world.service.save()
    locked = world.client_named("locked", locked_at=now(), not_before=now() - timedelta(days=3))
    details = '[{"type":"t","n":1.10,"b":[1e2,{"z":"\\u00e9"}]}]'
    grants = [
        world.grant(
            authorization_details=details,
            claims='["email"]',
            updated_by="client",
            last_updated_at=now(),
        ),
        world.grant(access_generation=2),
        world.grant(expires_at=now() - timedelta(days=1)),
        world.grant(revoked_at=now(), access_generation=2, refresh_generation=3),
        world.grant(revoked_at=now(), access_generation=0, refresh_generation=1),
        world.grant(pending=True, subject=None),
        world.grant(client=locked),
    ]
    values = []
    for grant in grants:
        client = grant.client
        values += [
            (world.token(grant, client=client), grant),
            (world.token(grant, client=client, generation=grant.access_generation), grant),
            (world.token(grant, client=client, expires_at=now(), scopes=""), grant),
            (world.token(grant, client=client, revoked_at=now()), grant),
            (world.token(None, client=client, jkt=key.jkt), grant),
            (world.token(grant, client=client, x5t_s256=thumbprint, expires_at=None), grant),
        ]
        world.refresh_token(grant, client=client)
    organization_token(
        world, can_manage_tokens=True, description="d", expires_at=now() + timedelta(days=1)
    )
    make_world(world.service.organization, not_before=now())

    def call(post):
        answers = []
        for value, grant in values:
            proof = key.proof(value, htu=f"{ENDPOINT}/{grant.grant_id}")
            members = {
                "accessToken": value,
                "grantId": grant.grant_id,
                "gmAction": "QUERY",
                "dpop": proof,
                "clientCertificate": pem,
            }
            answers.append(
                post(f"/api/{world.service.pk}/gm", members, api_token=world.api_token).body
            )
        return answers

    return call


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("batch_size", [3, 1000])
def test_export_and_import_lose_nothing(crowd, post, tmp_path, batch_size):
    """Into an empty database: every token and every grant answers as before."""
    before = crowd(post)
    assert len({answer["resultCode"] for answer in before}) >= 6
    path = tmp_path / "export.jsonl"
    call_command("export_grants", output=str(path), stderr=io.StringIO())
    assert path.stat().st_mode & 0o077 == 0
    call_command("flush", database=OURS, interactive=False, verbosity=0)
    assert not Organization.objects.exists()
    call_command("import_grants", str(path), batch_size=batch_size, stdout=io.StringIO())
    assert crowd(post) == before
    assert sorted(exported().splitlines()) == sorted(path.read_text().splitlines())


def test_export_holds_no_credential(crowd, world):
    assert world.api_token not in exported()
    assert "token_sha256" in exported()


def test_export_of_one_service(crowd, world):
    lines = [json.loads(line) for line in exported(service=world.service.pk).splitlines()]
    services = {line.get("service") for line in lines if "service" in line}
    assert services == {world.service.pk}
    assert [line["id"] for line in lines if line["type"] == "service"] == [world.service.pk]


BAD = {
    "not JSON": "{",
    "array": "[]",
    "no type": "{}",
    "unknown type": {"type": "user"},
    "unknown member": GRANT | {"revoked": 1},
    "duplicate member": '{"type":"organization","id":1,"id":2,"name":"x"}',
    "member missing": {"type": "organization", "id": 1},
    "id zero": ORGANIZATION | {"id": 0},
    "id boolean": ORGANIZATION | {"id": True},
    "id fraction": ORGANIZATION | {"id": 1.5},
    "id beyond 2^63": ORGANIZATION | {"id": 2**63},
    "name number": ORGANIZATION | {"name": 1},
    "name too long": ORGANIZATION | {"name": "x" * 256},
    "no such organization": SERVICE | {"organization": 2},
    "another organization": SERVICE | {"organization": 7},
    "endpoint no URL": SERVICE | {"grant_management_endpoint": "x"},
    "endpoint with query": SERVICE | {"grant_management_endpoint": "https://h/?x"},
    "flag string": SERVICE | {"dpop_nonce_required": "true"},
    "duration zero": SERVICE | {"dpop_nonce_duration": 0},
    "algorithm none": SERVICE | {"dpop_signing_algs": ["none"]},
    "no algorithms": SERVICE | {"dpop_signing_algs": []},
    "ownership unknown": SERVICE | {"ownership": "nobody"},
    "cut-off to come": SERVICE | {"not_before": 4_000_000_000},
    "client number too high": CLIENT | {"client_id": "new", "id": 2**53},
    "client number taken": CLIENT | {"client_id": "new", "id": 77},
    "client number changed": CLIENT | {"id": 78},
    "no such service": CLIENT | {"service": 2},
    "no such client": GRANT | {"client_id": "other", "grant_id": "g-2"},
    "grant_id with a slash": GRANT | {"grant_id": "a/b"},
    "grant_id too long": GRANT | {"grant_id": "x" * 256},
    "grant of another client": GRANT | {"client_id": "app-2"},
    "grant of another subject": GRANT | {"subject": "user-2"},
    "grant of no subject": GRANT | {"subject": None},
    "scopes string": GRANT | {"scopes": "openid"},
    "claims object": GRANT | {"claims": {}},
    "details without type": GRANT | {"authorization_details": [{}]},
    "time string": GRANT | {"created_at": "2026-01-01"},
    "time boolean": GRANT | {"created_at": True},
    "time out of range": GRANT | {"created_at": 1e300},
    "generation negative": GRANT | {"access_generation": -1},
    "updated by nobody": GRANT | {"updated_by": "x"},
    "no token": {name: value for name, value in TOKEN.items() if name != "token"},
    "token twice": TOKEN | {"token_sha256": "ab" * 32},
    "digest short": {
        "type": "access_token",
        "service": 1001,
        "client_id": "app-1",
        "token_sha256": "ab",
    },
    "token of another client's grant": TOKEN | {"token": "new", "client_id": "app-2"},
    "token moved to no grant": TOKEN | {"grant_id": None},
    "token moved to another grant": TOKEN | {"grant_id": "g-9"},
    "token of another subject": TOKEN | {"subject": "user-2"},
    "token of another client": TOKEN | {"client_id": "app-2"},
    "cnf string": TOKEN | {"cnf": "x"},
    "cnf unknown": TOKEN | {"cnf": {"x": "y"}},
    "jkt short": TOKEN | {"cnf": {"jkt": "x"}},
    "binding changed": TOKEN | {"token": "bound", "cnf": {"jkt": Key().jkt}},
    "api token kind": {"type": "api_token", "kind": "user", "service": 1001, "token": "x"},
    "api token of both": {
        "type": "api_token",
        "kind": "service",
        "service": 1001,
        "organization": 1,
        "token": "x",
    },
    "api token kind changed": {
        "type": "api_token",
        "kind": "organization",
        "organization": 1,
        "token": "api",
    },
    "service token that manages": {
        "type": "api_token",
        "kind": "service",
        "service": 1001,
        "token": "x",
        "can_manage_tokens": True,
    },
    "lone surrogate": '{"type":"organization","id":1,"name":"\\ud800"}',
    "U+0000": '{"type":"organization","id":1,"name":"a\\u0000"}',
}


@pytest.fixture
def taken(take):
    """What the bad records clash with."""
    assert not take(
        *ALL,
        ORGANIZATION | {"id": 7},
        {"type": "client", "service": 1001, "client_id": "app-2", "id": 77},
        GRANT | {"grant_id": "g-9"},
        TOKEN | {"token": "bound", "cnf": {"jkt": Key().jkt}},
        {"type": "api_token", "kind": "service", "service": 1001, "token": "api"},
    )
    return take


@pytest.mark.parametrize("record", BAD.values(), ids=BAD)
def test_bad_record(taken, record):
    """Named by file and line; and nothing of its batch is written, or all but itself."""
    before = exported()
    said = taken(ORGANIZATION | {"name": "Changed"}, record)
    assert taken.failed
    assert "FILE:2: " in said
    assert exported() == before
    said = taken(ORGANIZATION | {"name": "Changed"}, record, on_error="skip")
    assert taken.failed
    assert "FILE:2: " in said
    assert Organization.objects.get(pk=1).name == "Changed"
    assert exported() == before.replace('"name":"Example Bank"', '"name":"Changed"', 1)


def test_refusals_quote_no_credential(taken):
    said = taken(TOKEN | {"token": "terces", "subject": 1}, TOKEN | {"token": ["terces"]})
    assert taken.failed
    assert "terces" not in said


def test_earlier_batches_stay(take):
    said = take(ORGANIZATION, SERVICE, CLIENT, {"type": "user"}, batch_size=2)
    assert "FILE:4: " in said
    assert "Nothing from line 3 on" in said
    assert Service.objects.exists()
    assert not Client.objects.exists()


@pytest.mark.parametrize("batch_size", [1, 1000])
def test_a_record_is_defined_before_it_is_used(take, batch_size):
    """Whatever the size of a batch."""
    said = take(ORGANIZATION, SERVICE, CLIENT, TOKEN, GRANT, batch_size=batch_size)
    assert "FILE:4: its grant is not defined on an earlier line" in said


def test_records_may_alternate(take):
    records = [ORGANIZATION, SERVICE, CLIENT]
    for number in range(50):
        records += [
            GRANT | {"grant_id": f"g-{number}"},
            TOKEN | {"grant_id": f"g-{number}", "token": f"t-{number}"},
        ]
    assert not take(*records)
    assert AccessToken.objects.filter(grant__grant_id="g-7", digest=sha256("t-7")).exists()


PAST, EARLIER, LATER = 1_764_000_000, 1_763_000_000, 1_764_000_500
FUTURE = 4_000_000_000


AS_CITUS_SAYS_IT = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_query() LIKE 'COPY %' AND EXISTS (SELECT 1 FROM grant_management_grant
        WHERE service_id = NEW.service_id AND grant_id = NEW.grant_id)
    THEN RAISE 'duplicate key value violates unique constraint' USING ERRCODE = 'XX000'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON grant_management_grant
FOR EACH ROW EXECUTE FUNCTION refuse();
"""


class TestRowsThatAreThereAlready:
    """Nobody looks for them before a batch is refused because of them."""

    def test_a_known_row_among_new_ones(self, take):
        take(*ALL)
        other = GRANT | {"grant_id": "g-2"}
        take(other, GRANT | {"scopes": [{"scope": "openid"}]}, TOKEN | {"token": "value-2"})
        assert Grant.objects.get(grant_id="g-1").scopes == '[{"scope":"openid"}]'
        assert (Grant.objects.count(), AccessToken.objects.count()) == (2, 2)

    def test_a_known_row_of_a_cluster(self, take):
        """Citus reports a key that is taken, in a COPY, as an internal error (XX000)."""
        if connection.vendor != "postgresql":
            pytest.skip("needs PostgreSQL: --db postgresql")
        take(*ALL)
        with connection.cursor() as cursor:
            cursor.execute(AS_CITUS_SAYS_IT)
        take(GRANT | {"scopes": [{"scope": "openid"}]}, GRANT | {"grant_id": "g-2"})
        assert Grant.objects.get(grant_id="g-1").scopes == '[{"scope":"openid"}]'
        assert Grant.objects.count() == 2

    def test_errors_are_told_once(self, take):
        take(*ALL)
        said = take(GRANT | {"client_id": "nobody"}, "{", GRANT, on_error="skip")
        assert (said.count(":1: "), said.count(":2: ")) == (1, 1)

    def test_what_was_rolled_back_is_not_remembered(self, take):
        """The client of the first try, which the second meets only after the grant that names it."""
        take(*ALL)
        early = GRANT | {"client_id": "app-2", "grant_id": "g-2"}
        said = take(early, CLIENT | {"client_id": "app-2"}, GRANT, on_error="skip")
        assert ":1: its client is not defined on an earlier line" in said
        assert Grant.objects.count() == 1

    def test_new_rows_take_no_look(self, take, django_assert_max_num_queries):
        def looks(*records):
            with django_assert_max_num_queries(100) as captured:
                take(*records)
            table = f'FROM "{Grant._meta.db_table}"'
            return [one for one in captured if table in one["sql"] and "SELECT" in one["sql"]]

        take(ORGANIZATION, SERVICE, CLIENT)
        assert looks(GRANT) == []
        assert len(looks(GRANT)) == 1


class TestNothingComesBackToLife:
    def revive(self, take, first, second):
        """The stored row's stamps after `first` and then `second`."""
        take(*ALL, first)
        take(second)
        assert not take.failed
        names = {
            "grant": Grant,
            "access_token": AccessToken,
            "client": Client,
            "service": Service,
            "api_token": ApiToken,
        }
        return names[first["type"]].objects.order_by("pk").last()

    @pytest.mark.parametrize("later", [{}, {"revoked_at": None}, {"revoked_at": LATER}])
    @pytest.mark.parametrize(
        "record",
        [GRANT, TOKEN, {"type": "api_token", "kind": "service", "service": 1001, "token": "x"}],
    )
    def test_revoked_at(self, take, record, later):
        row = self.revive(take, record | {"revoked_at": PAST}, record | later)
        assert row.revoked_at.timestamp() == PAST

    def test_revoked_at_moves_earlier(self, take):
        row = self.revive(take, TOKEN | {"revoked_at": PAST}, TOKEN | {"revoked_at": EARLIER})
        assert row.revoked_at.timestamp() == EARLIER

    @pytest.mark.parametrize("later", [{}, {"locked_at": None}, {"locked_at": LATER}])
    def test_locked_at(self, take, later):
        row = self.revive(take, CLIENT | {"locked_at": PAST}, CLIENT | later)
        assert row.locked_at.timestamp() == PAST

    @pytest.mark.parametrize("record", [CLIENT, SERVICE])
    @pytest.mark.parametrize("later", [{}, {"not_before": None}, {"not_before": EARLIER}])
    def test_not_before(self, take, record, later):
        row = self.revive(take, record | {"not_before": PAST}, record | later)
        assert row.not_before.timestamp() == PAST

    @pytest.mark.parametrize("later", [{"expires_at": None}, {"expires_at": FUTURE}])
    @pytest.mark.parametrize("record", [GRANT, TOKEN])
    def test_expires_at_that_has_passed(self, take, record, later):
        row = self.revive(take, record | {"expires_at": PAST}, record | later)
        assert row.expires_at.timestamp() == PAST

    def test_expires_at_that_is_to_come_may_move(self, take):
        row = self.revive(take, GRANT | {"expires_at": FUTURE}, GRANT | {"expires_at": None})
        assert row.expires_at is None

    def test_generations_never_fall(self, take):
        row = self.revive(
            take,
            GRANT | {"access_generation": 3, "refresh_generation": 4},
            GRANT | {"access_generation": 1},
        )
        assert (row.access_generation, row.refresh_generation) == (3, 4)

    def test_generation_of_a_token_stays(self, take):
        """A later one could bring it back under a grant that was replaced."""
        take(*ALL)
        assert not take(GRANT | {"access_generation": 3}, TOKEN | {"generation": 3})
        assert AccessToken.objects.get().generation == 0

    def test_a_generation_that_is_still_to_come(self, take):
        """It would come to life with a merge or a replace."""
        later = TOKEN | {"token": "value-2", "generation": 1}
        assert "'generation' must not be above its grant's" in take(*ALL, later)
        refresh = {name: one for name, one in later.items() if name != "scopes"}
        refresh |= {"type": "refresh_token"}
        take(*ALL)
        assert "'generation' must not be above its grant's" in take(refresh)
        assert not take(GRANT | {"refresh_generation": 1}, refresh)
        assert not RefreshToken.objects.exclude(generation=1).exists()

    def test_a_refresh_token_of_a_revoked_grant_is_dead(self, take):
        """Whatever generations both come with (draft §6.5)."""
        grant = GRANT | {"revoked_at": PAST, "refresh_generation": 0, "access_generation": 0}
        refresh = {name: one for name, one in TOKEN.items() if name != "scopes"}
        assert not take(ORGANIZATION, SERVICE, CLIENT, grant, TOKEN)
        assert not take(refresh | {"type": "refresh_token"})
        related = RefreshToken.objects.select_related("client__service", "grant__client", "service")
        assert related.get().status(now()) is TokenStatus.GRANT_DEAD
        assert AccessToken.objects.get().generation == 0

    def test_issued_at_never_moves_past_a_cut_off(self, take):
        row = self.revive(take, TOKEN | {"issued_at": EARLIER}, TOKEN | {"issued_at": PAST})
        assert row.issued_at.timestamp() == EARLIER

    def test_a_grant_that_comes_revoked_kills_its_tokens(self, take):
        row = self.revive(
            take,
            GRANT | {"access_generation": 5, "refresh_generation": 5},
            GRANT | {"revoked_at": PAST},
        )
        assert (row.access_generation, row.refresh_generation) == (6, 6)
        take(GRANT | {"revoked_at": PAST})
        row.refresh_from_db()
        assert (row.access_generation, row.refresh_generation) == (6, 6)

    def test_a_new_grant_that_comes_revoked_has_generation_one(self, take):
        take(ORGANIZATION, SERVICE, CLIENT, GRANT | {"revoked_at": PAST})
        row = Grant.objects.get()
        assert (row.access_generation, row.refresh_generation) == (1, 1)

    def test_pending_is_over_once(self, take):
        assert (
            self.revive(take, GRANT | {"pending": False}, GRANT | {"pending": True}).pending
            is False
        )

    def test_a_binding_never_goes(self, take):
        jkt = Key().jkt
        bound = TOKEN | {"token": "bound", "cnf": {"jkt": jkt}}
        take(*ALL, bound)
        take(
            bound | {"cnf": None},
            bound | {"cnf": {}},
            {name: value for name, value in bound.items() if name != "cnf"},
        )
        assert not take.failed
        assert AccessToken.objects.get(digest=sha256("bound")).jkt == jkt


def test_standard_input(db, monkeypatch):
    import sys

    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(ORGANIZATION).encode()))
    )
    out = io.StringIO()
    call_command("import_grants", "-", "--json", stdout=out)
    assert json.loads(out.getvalue())["organization"] == 1


def test_missing_file(db):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_grants", "/nowhere.jsonl")


def test_blank_lines_are_skipped_and_counted(take):
    assert "FILE:3: " in take("", " ", "{}")
