"""`run.py chaos`: its model and its judge can fail, and so can a whole run."""

import contextlib
import http.server
import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from chaos import judge, report
from chaos.load import Calls, Hand, Prover, Target, query, show_again, take
from chaos.model import (
    CREATED,
    DOUBLED,
    LOST,
    MERGED,
    REPLACED,
    REVOKED,
    WRONG,
    Grant,
    Model,
    Sure,
    Token,
    Write,
)
from chaos.mutations import MUTATIONS
from chaos.proofs import OLDEST, Key
from chaos.wire import CLOSED, NOT_CONNECTED, Answer, Caller, read

from .ours import connection
from .standalone import ROOT, free_port

DONE = Answer(200, {"resultCode": "A291001", "resultMessage": "[A291001] Done."})
REFUSED = Answer(400, {"resultCode": "A291201", "resultMessage": "[A291201] …"})
FAILED = Answer(500, {"resultCode": "A277102", "action": "AUTHLETE_ERROR"})


def write(kind, sure=Sure.YES, *scopes):
    return Write(kind, "", {}, frozenset(scopes), sure=sure)


@pytest.fixture
def grant():
    """Created, with tokens."""
    made = Grant("app", "subject-1", "g-1")
    made.add(write(CREATED, Sure.YES, "openid"))
    issued = made.add(write("issued"))
    made.tokens = [Token("access", issued), Token("refresh", issued, refresh=True)]
    return made


def kinds(findings):
    return [finding.kind for finding in findings]


class TestModel:
    def test_write_that_is_on_its_way_makes_nothing_certain(self, grant):
        assert grant.lives
        assert not grant.dead
        grant.add(write(REVOKED, Sure.MAYBE))
        assert not grant.lives
        assert not grant.dead
        assert grant.is_open
        assert grant.events(REVOKED) == (0, 1)

    def test_acknowledged_revoke(self, grant):
        grant.add(write(REVOKED))
        assert grant.dead
        assert all(token.dead for token in grant.tokens)
        grant.add(write(REVOKED, Sure.MAYBE))
        assert grant.events(REVOKED) == (1, 1)

    def test_refused_write_did_not_happen(self, grant):
        grant.add(write(REVOKED, Sure.NO))
        assert grant.lives
        assert grant.events(REVOKED) == (0, 0)

    def test_merge_kills_refresh_tokens_alone(self, grant):
        grant.add(write(MERGED, Sure.YES, "email"))
        assert [token.dead for token in grant.tokens] == [False, True]
        assert grant.scopes() == {"openid": Sure.YES, "email": Sure.YES}

    def test_replace_kills_all_tokens(self, grant):
        grant.add(write(REPLACED, Sure.YES, "email"))
        assert [token.dead for token in grant.tokens] == [True, True]
        assert grant.scopes() == {"email": Sure.YES}

    def test_replace_that_may_have_happened(self, grant):
        grant.add(write(REPLACED, Sure.MAYBE, "openid", "email"))
        assert grant.scopes() == {"openid": Sure.YES, "email": Sure.MAYBE}
        assert not any(token.dead or token.lives for token in grant.tokens)


class TestOutcome:
    @pytest.fixture
    def calls(self):
        return Calls(Target([], 1001, "", {}), Model("m"))

    @pytest.mark.parametrize(
        ("answer", "told", "sure"),
        [
            (DONE, True, Sure.YES),
            (REFUSED, True, Sure.NO),
            (FAILED, False, Sure.MAYBE),
            (Answer(problem=CLOSED), False, Sure.MAYBE),
            (Answer(problem=NOT_CONNECTED), True, Sure.NO),
            (read(200, b"<html>"), False, Sure.MAYBE),
        ],
    )
    def test_answer_says_what_became_of_a_write(self, calls, grant, answer, told, sure):
        sent = grant.add(write(MERGED, Sure.MAYBE))
        assert take(calls, grant, sent, answer) is told
        assert sent.sure is sure

    @pytest.mark.parametrize("answer", [REFUSED, Answer(problem=NOT_CONNECTED)])
    def test_refusal_of_the_second_try_says_nothing_of_the_first(self, calls, grant, answer):
        sent = grant.add(write(MERGED, Sure.MAYBE))
        take(calls, grant, sent, Answer(problem=CLOSED))
        assert not take(calls, grant, sent, answer)
        assert sent.sure is Sure.MAYBE

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"resultCode":"A1"}'])
    def test_answer_that_is_not_of_the_contract(self, content):
        assert read(200, content).malformed

    def test_code_and_message_differ(self):
        text = b'{"resultCode":"A277102","resultMessage":"[A277101] text"}'
        assert read(500, text).malformed

    def test_nobody_listens(self):
        answer = Caller(free_port(), "", 1).post("/", {})
        assert (answer.problem, answer.refused) == (NOT_CONNECTED, True)


@pytest.fixture
def told():
    """A server that answers whatever it is given; `told` is what, and its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body, server.host = server.body, self.headers["Host"]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_is_called_by_its_name(told):
    """One that was installed answers to no other."""
    told.body = b"{}"
    caller = Target([], 1001, "", {}, host="gm.example.com").caller(told.server_port)
    caller.post("/", {})
    caller.close()
    assert told.host == "gm.example.com"


def test_query_of_what_is_dead_that_is_answered(told, grant):
    told.body = b'{"resultCode":"A277001","resultMessage":"[A277001] ok","action":"OK"}'
    calls = Calls(Target([told.server_port], 1001, "", {}), Model("m"))
    query(calls, told.server_port, grant, grant.tokens[0])
    assert calls.model.findings == []
    grant.add(write(REVOKED))
    query(calls, told.server_port, grant, grant.tokens[0])
    calls.close()
    assert kinds(calls.model.findings) == [LOST]


def test_query_of_what_lives_that_is_refused(told, grant):
    told.body = b'{"resultCode":"A279306","resultMessage":"[A279306] no","action":"UNAUTHORIZED"}'
    calls = Calls(Target([told.server_port], 1001, "", {}), Model("m"))
    query(calls, told.server_port, grant, grant.tokens[0])
    calls.close()
    assert kinds(calls.model.findings) == [WRONG]


class TestProofs:
    """Those that were accepted are shown again after the recovery."""

    OK = b'{"resultCode":"A277001","resultMessage":"[A277001] ok","action":"OK"}'
    REPLAYED = b'{"resultCode":"A281308","resultMessage":"[A281308] no","action":"UNAUTHORIZED"}'

    @pytest.fixture
    def calls(self, told, grant):
        """After a QUERY that was accepted."""
        told.body = self.OK
        calls = Calls(Target([told.server_port] * 2, 1001, "", {}), Model("m"))
        grant.tokens[0].key = Key()
        hand = Hand(0, "hand-0", calls)
        hand.read(grant)
        hand.close()
        assert [one.grant for one in calls.model.accepted] == [grant]
        calls.model.findings.clear()
        yield calls
        calls.close()

    def test_one_that_is_forgotten_is_found(self, calls):
        assert show_again(calls) == 1
        assert kinds(calls.model.findings) == [DOUBLED]

    def test_one_that_is_known_is_not(self, told, calls):
        told.body, before = self.REPLAYED, calls.model.calls
        assert show_again(calls) == 1
        assert calls.model.findings == []
        assert calls.model.calls == before + 1

    def test_one_that_got_no_answer_does_not_count(self, told, calls):
        told.body = self.REPLAYED.replace(b"A281308", b"A277102")
        assert show_again(calls) == 0

    def test_a_prover_sends_a_new_one_each_time(self, calls, grant):
        prover = Prover(0, "hand-0", calls)
        prover.grants = [grant]
        prover.act()
        prover.act()
        prover.close()
        assert len({one.proof for one in calls.model.accepted}) == 3

    def test_one_that_would_be_refused_anyway_says_nothing(self, calls, grant):
        (one,) = calls.model.accepted
        calls.model.accepted = [replace(one, made=one.made - OLDEST)]
        assert show_again(calls) == 0
        calls.model.accepted = [one]
        grant.add(write(REVOKED))
        assert show_again(calls) == 0
        assert calls.model.findings == []

    def test_a_prover_whose_token_has_an_end_takes_another_grant(self, told, calls, grant):
        prover = Prover(0, "hand-0", calls)
        prover.grants = [grant]
        grant.add(write(REVOKED))
        told.body = json.dumps(DONE.body | {"grantId": "g-2", "accessToken": "t"}).encode()
        prover.act()
        prover.close()
        (one,) = calls.model.grants
        assert prover.grants[-1] is one
        assert one.usable().key

    def test_one_server_is_shown_each_twice(self, told, grant):
        told.body = self.OK
        calls = Calls(Target([told.server_port], 1001, "", {}), Model("m"))
        grant.tokens[0].key = Key()
        hand = Hand(0, "hand-0", calls)
        hand.read(grant)
        hand.close()
        assert kinds(calls.model.findings) == [DOUBLED]

    def test_one_that_was_not_accepted_says_nothing(self, told, grant):
        told.body = self.REPLAYED
        calls = Calls(Target([told.server_port] * 2, 1001, "", {}), Model("m"))
        grant.tokens[0].key = Key()
        hand = Hand(0, "hand-0", calls)
        hand.read(grant)
        hand.close()
        assert calls.model.accepted == []


class TestJudge:
    def test_events(self, grant):
        seen = {("subject-1", CREATED): 1}
        assert judge.judge_events([grant], seen) == []
        assert kinds(judge.judge_events([grant], {})) == [LOST]
        assert kinds(judge.judge_events([grant], {("subject-1", CREATED): 2})) == [DOUBLED]
        assert kinds(judge.judge_events([grant], seen | {("subject-1", MERGED): 1})) == [DOUBLED]

    def test_events_of_a_write_without_an_answer(self, grant):
        grant.add(write(MERGED, Sure.MAYBE))
        for number, found in ((0, []), (1, []), (2, [DOUBLED])):
            seen = {("subject-1", CREATED): 1, ("subject-1", MERGED): number}
            assert kinds(judge.judge_events([grant], seen)) == found

    @pytest.mark.parametrize(
        ("shown", "found"),
        [
            (("active", "A277001", {"openid"}), []),
            (("revoked", "A283301", set()), [LOST]),
            (("active", "A283301", set()), [LOST]),
            (("active", "A277001", set()), [LOST]),
            (("active", "A277001", {"openid", "other"}), [WRONG]),
        ],
    )
    def test_grant_that_lives(self, grant, shown, found):
        status, code, scopes = shown
        assert (
            kinds(judge.judge_shown(grant, judge.Shown(status, code, frozenset(scopes)))) == found
        )

    def test_grant_that_is_dead(self, grant):
        grant.add(write(REVOKED))
        nothing = frozenset()
        assert judge.judge_shown(grant, judge.Shown("revoked", "A283301", nothing)) == []
        assert kinds(judge.judge_shown(grant, judge.Shown("active", "A283301", nothing))) == [LOST]
        assert kinds(judge.judge_shown(grant, judge.Shown("revoked", "A277001", nothing))) == [LOST]

    def test_grant_that_may_be_dead(self, grant):
        grant.add(write(REVOKED, Sure.MAYBE))
        for status in ("active", "revoked"):
            assert judge.judge_shown(grant, judge.Shown(status, "", frozenset())) == []

    def test_tokens(self, grant):
        access, refresh = grant.tokens
        assert judge.judge_token(grant, access, True) == []
        assert kinds(judge.judge_token(grant, access, False)) == [LOST]
        grant.add(write(MERGED))
        assert judge.judge_token(grant, refresh, False) == []
        assert kinds(judge.judge_token(grant, refresh, True)) == [LOST]
        never = Token("never", write("issued", Sure.NO))
        assert kinds(judge.judge_token(grant, never, True)) == [WRONG]

    def test_credential_in_the_log(self, grant):
        model = Model("m")
        model.grants = [grant]
        grant.tokens[0].value = "a-token-of-twenty-characters-or-more"
        assert judge.judge_log(model, "Request failed\n", []) == []
        said = f"token={grant.tokens[0].value}\n"
        assert kinds(judge.judge_log(model, said, [])) == [WRONG]


def test_each_fault_has_a_mutation_on_one_of_its_databases():
    proved = {(one.fault, name) for one in MUTATIONS.values() for name in one.databases}
    for fault in report.all_faults():
        if fault.name != "clock behind":  # of one kind with the clock that is ahead
            assert any((fault.name, database) in proved for database in fault.databases)


def test_document_has_every_fault():
    text = report.DOCUMENT.read_text()
    for fault in report.all_faults():
        assert f"| {fault.name} |" in text
    for one in report.NOT_YET_HELD:
        assert one in text


def chaos(*arguments):
    line = [sys.executable, "-m", "chaos", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=500)


@pytest.fixture
def on_one_database_only(db):
    """These make databases of their own, of both kinds."""
    if connection.vendor != "sqlite":
        pytest.skip("is done in the run on SQLite")


def test_run_with_a_mutation_fails(on_one_database_only):
    run = chaos("--mutate", "model-forgets")
    assert run.returncode == 1, run.stdout + run.stderr
    assert "mutation model-forgets (locked): seen" in run.stdout


def test_every_mutation_is_seen(on_one_database_only, request):
    if not request.config.option.slow:
        pytest.skip("takes minutes: --slow, or run.py chaos --prove")
    run = chaos("--prove")
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(MUTATIONS)} of {len(MUTATIONS)} mutations were seen" in run.stdout


def running_in(folder):
    """Processes whose environment names the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and str(folder).encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def test_interrupted_run_leaves_nothing(on_one_database_only, tmp_path):
    line = [sys.executable, "-m", "chaos", "--db", "sqlite", "--seconds", "300"]
    env = {"PATH": "/usr/bin:/bin:/sbin:/usr/sbin", "TMPDIR": str(tmp_path)}
    run = subprocess.Popen(line, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    while run.poll() is None and not any(
        path.read_text().count("Serving") >= 2 for path in tmp_path.glob("*/servers.log")
    ):
        time.sleep(0.1)
    assert len(running_in(tmp_path)) > 2
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate()
    assert run.returncode == 130
    assert "Interrupted" in said
    assert running_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
