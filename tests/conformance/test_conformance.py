"""The conformance suite, against the example server and against servers that are wrong."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from threading import Event

import pytest
import requests

from grant_management.conformance.checks import CHECKS
from grant_management.conformance.config import Config
from grant_management.conformance.server_under_test import ServerUnderTest
from grant_management.conformance.suite import run_all

from .. import authority, faulty
from ..authority import OUTLIVING, SCOPE, WEAK, serving
from ..contrib.test_oauth_toolkit import GM, Browser, Client, example
from ..standalone import ROOT

assert example  # a fixture


def command(tmp_path, members):
    """The command line of a run with this config."""
    config = tmp_path / "config.toml"
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in members.items()))
    line = [sys.executable, "-m", "grant_management.conformance", str(config)]
    return [*line, "--json", str(tmp_path / "report.json"), "--junit", str(tmp_path / "junit.xml")]


def reports(tmp_path):
    """The report as JSON; the JUnit report must agree."""
    found = json.loads((tmp_path / "report.json").read_bytes())
    suite = ET.fromstring((tmp_path / "junit.xml").read_bytes())
    failed = found["counts"]["failed"]
    assert int(suite.get("failures")) == failed == len(suite.findall("*/failure"))
    assert int(suite.get("tests")) == len(suite.findall("testcase"))
    assert int(suite.get("errors")) == (not found["complete"]) == len(suite.findall("*/error"))
    return found


def run(tmp_path, **members):
    """The exit code, and the checks of the report; without one, what was said."""
    line = command(tmp_path, members)
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stderr == ""
    if done.returncode == 2:
        return done.returncode, done.stdout
    found = reports(tmp_path)
    assert f"{found['counts']['passed']} passed" in done.stdout
    assert found["complete"]
    return done.returncode, {one["number"]: one for one in found["checks"]}


# The example server


def test_the_example_conforms(example, tmp_path):
    """Every check passes, but those of members that its grants do not have."""
    base = example["base"]
    times = "from grant_management.models import Service; Service.objects.update(show_timestamps=1)"
    example["manage"]("shell", "-v", "0", "-c", times)
    client, other = Client(example), Client(example, 1)
    ann = Browser(base, **example["users"][0])
    headers = {"Authorization": f"Bearer {example['api_token']}"}
    own = {
        "grantType": "CLIENT_CREDENTIALS",
        "clientIdentifier": client.secrets["client_id"],
        "scopes": GM.split(),
    }
    seeded = json.dumps(
        {name: value for name, value in example.items() if isinstance(value, (str, list, dict))}
    )
    weak = client.authorize(ann, "read")["access_token"]
    made = requests.post(
        f"{base}/api/1/auth/token/create", json=own, headers=headers, timeout=20
    ).json()
    code, checks = run(
        tmp_path,
        issuer=f"{base}/1",
        token_endpoint=f"{base}/o/token/",
        client_id=client.secrets["client_id"],
        client_secret=client.secrets["client_secret"],
        authorize=[sys.executable, "-m", "tests.authorize", seeded],
        scope=GM,
        more_scope="read",
        outliving_access_token=made["accessToken"],
        weak_access_token=weak,
        other_grant_id=other.authorize(ann, GM, grant_management_action="create")["grant_id"],
    )
    assert {
        number: one["detail"] for number, one in checks.items() if one["outcome"] == "failed"
    } == {}
    assert code == 0
    assert {number for number, one in checks.items() if one["outcome"] == "skipped"} == {
        "GM-21",
        "GM-22",
    }
    assert len(checks) == 32


# A small server, right or wrong


def by_config(server):
    """A config with a grant instead of a program."""
    asked = {"grant_management_action": "create", "scope": SCOPE}
    tokens = server.authorize(authority.Asked("authorize", "POST", "", "", asked)).value
    given = {name: tokens[name] for name in ("grant_id", "access_token", "refresh_token")}
    return authority.members(server) | {"authorize": []} | given


def findings(members, numbers=None):
    """What the checks find, or these of them."""
    wanted = [one for one in CHECKS if numbers is None or one.number in numbers]
    return {one.check.number: one for one in run_all(wanted, ServerUnderTest(Config(**members)))}


def judge(number, twist=None):
    """What one check finds, after those that it builds upon. A twist by name: a duty neglected."""
    asks = number < "GM-16" or number == "GM-20"
    needed = {number, "GM-04"} | ({"GM-29"} if number > "GM-29" else set())
    omits = {twist} if isinstance(twist, str) else ()
    with serving(None if omits else twist, omits) as server:
        members = authority.members(server) if asks else by_config(server)
        return findings(members, needed)[number]


def test_a_right_server_passes_every_check(tmp_path):
    with serving() as server:
        code, checks = run(tmp_path, **authority.members(server))
    assert {(one["outcome"], one["detail"]) for one in checks.values()} == {("passed", "")}
    assert (code, len(checks)) == (0, 32)


def test_a_grant_of_the_config_is_judged_without_a_program(tmp_path):
    """The checks of authorization requests are skipped, and no other."""
    with serving() as server:
        code, checks = run(tmp_path, **by_config(server))
    skipped = {number for number, one in checks.items() if one["outcome"] == "skipped"}
    assert skipped == {"GM-04", *(f"GM-{number:02}" for number in range(6, 16))}
    assert {one["outcome"] for one in checks.values()} == {"passed", "skipped"}
    assert code == 0


@pytest.mark.parametrize(
    ("number", "twist", "reason"),
    [pytest.param(one[0], *one[2:], id=f"{one[0]} {one[1]}") for one in faulty.FAULTS],
)
def test_each_check_fails_in_each_way(number, twist, reason):
    """It never passes, and is never skipped; and it says why."""
    found = judge(number, twist)
    assert (found.outcome, reason in found.detail) == ("failed", True), found.detail


def test_there_is_a_fault_for_every_check():
    assert {one[0] for one in faulty.FAULTS} == {one.number for one in CHECKS}


@pytest.mark.parametrize(
    ("number", "twist"),
    [pytest.param(one[0], one[2], id=f"{one[0]} {one[1]}") for one in faulty.VARIANTS],
)
def test_what_the_rfcs_leave_free_passes(number, twist):
    found = judge(number, twist)
    assert (found.outcome, found.detail) == ("passed", "")


def test_without_a_grant_to_revoke_nothing_passes():
    """The four checks of the revoke make a grant of their own."""
    numbers = {"GM-04", "GM-29", "GM-30", "GM-31", "GM-32"}
    with serving(faulty.authorized(faulty.error("x"), number=2)) as server:
        found = findings(authority.members(server), numbers)
    assert found.pop("GM-04").outcome == "passed"
    assert {one.outcome for one in found.values()} == {"failed"}


@pytest.mark.parametrize("nothing", [..., []])
@pytest.mark.parametrize(
    ("number", "names"),
    [
        ("GM-21", ["claims"]),
        ("GM-22", ["authorization_details"]),
        ("GM-23", ["created_at", "expires_at", "last_updated_at", "updated_by"]),
    ],
)
def test_what_is_not_there_does_not_pass(number, names, nothing):
    """It is optional, so that it does not fail either. (A time that is an array does.)"""
    found = judge(number, faulty.shown(faulty.but(**dict.fromkeys(names, nothing))))
    assert found.outcome == ("failed" if number == "GM-23" and nothing == [] else "skipped")


@pytest.mark.parametrize(
    ("number", "given", "twist"),
    [
        ("GM-05", {"grant_id": "a b"}, None),
        ("GM-16", {"grant_id": "g"}, faulty.gm(faulty.status(200))),
        ("GM-17", {"grant_id": "g"}, faulty.gm(faulty.status(200))),
        ("GM-25", {"access_token": "t"}, faulty.gm(faulty.status(200))),
    ],
)
def test_little_is_enough_to_fail(number, given, twist):
    """What is missing in the config skips a check that would pass, and none that fails."""
    little = {"grant_id": "", "access_token": "", "refresh_token": ""} | given
    with serving(twist) as server:
        found = findings(by_config(server) | little, {number})[number]
    assert found.outcome == "failed"
    if twist:
        with serving() as server:
            found = findings(by_config(server) | little | {"access_token": ""}, {number})[number]
        assert found.outcome == "skipped"


@pytest.mark.parametrize(("number", "action"), [("GM-14", "merge"), ("GM-15", "replace")])
def test_without_more_scope_a_change_can_fail_and_not_pass(number, action):
    for twist, outcome in (
        (None, "skipped"),
        (faulty.authorized(faulty.error("x"), action=action), "failed"),
        (faulty.authorized(faulty.but(grant_id="x"), action=action), "failed"),
    ):
        with serving(twist) as server:
            members = authority.members(server) | {"more_scope": ""}
            assert findings(members, {"GM-04", number})[number].outcome == outcome


def test_no_refresh_token_is_skipped_only_where_the_rest_holds():
    without = faulty.but(refresh_token=...)
    found = judge("GM-14", faulty.authorized(without))
    assert (found.outcome, found.detail) == ("skipped", "no refresh token was issued")
    twist = faulty.authorized(without)
    with serving(twist, {"add on merge"}) as server:
        found = findings(authority.members(server), {"GM-04", "GM-14"})["GM-14"]
    assert found.outcome == "failed"


# A server that breaks off, floods, or sends what is no HTTP

OF_THE_GRANT = {f"GM-{number:02}" for number in range(16, 33)}


@pytest.mark.parametrize(
    ("door", "failed"),
    [
        ("metadata", {"GM-01", "GM-02", "GM-03"} | OF_THE_GRANT),
        ("gm", OF_THE_GRANT),
        ("token", {"GM-31"}),
    ],
)
@pytest.mark.parametrize(
    ("parts", "reason"), [pytest.param(*one[1:], id=one[0]) for one in faulty.NO_RESPONSE]
)
def test_what_is_no_response_is_a_finding(door, failed, parts, reason):
    """For each check that sends a request there; and every check is made."""
    with serving(faulty.on(door, faulty.raw(*parts))) as server:
        found = findings(by_config(server))
    assert {number for number, one in found.items() if one.outcome == "failed"} == failed
    told = {one.detail for number, one in found.items() if number in failed}
    assert all(reason in detail or "GM-29 failed" in detail for detail in told), told
    assert len(found) == len(CHECKS)


def drip(part):
    """More bytes, one at a time, for longer than anybody waits."""
    for _ in range(80):
        yield part
        time.sleep(0.05)


@pytest.mark.parametrize(
    "parts",
    [
        lambda: (b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", *drip(b" ")),
        lambda: drip(b"H"),
        lambda: drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
        lambda: (time.sleep(4), b"")[1:],
    ],
    ids=["body", "status line", "interim responses", "silence"],
)
def test_a_response_has_a_deadline(parts):
    with serving(faulty.on("metadata", lambda answer: parts())) as server:
        found = findings(authority.members(server) | {"timeout": 0.3}, {"GM-01"})["GM-01"]
    assert found.outcome == "failed"
    assert "did not end within 0.6 seconds" in found.detail or "timed out" in found.detail


@pytest.mark.parametrize("grant_id", ["a b", "a/b", "a\n", "a\u0008", "ä", "..", "a?b", "a#b"])
def test_a_grant_that_no_url_can_name_is_a_finding(grant_id):
    """Each check that must name it fails."""
    with serving(faulty.authorized(faulty.but(grant_id=grant_id))) as server:
        found = findings(authority.members(server))
    assert {found[number].outcome for number in OF_THE_GRANT - {"GM-29"}} == {"failed"}
    assert "no URL can carry the grant_id" in found["GM-19"].detail


@pytest.mark.parametrize("token", ["a b", "a\nX: y", "ä", "\u0008"])
def test_a_token_that_no_header_can_carry_is_a_finding(token):
    """And it is not shown, escaped or not."""
    with serving(faulty.authorized(faulty.but(access_token=token))) as server:
        found = findings(authority.members(server), {"GM-04", "GM-19"})
    assert found["GM-19"].detail == "an access token has characters outside VCHAR"


@pytest.mark.parametrize("url", ["file:///etc/hosts", "ftp://127.0.0.1/", "gopher:x", "", "//a/b"])
def test_only_http_is_spoken(url):
    with serving(faulty.endpoint(url)) as server:
        found = findings(by_config(server), {"GM-02", "GM-19"})
    assert {one.outcome for one in found.values()} == {"failed"}
    assert "no http URL" in found["GM-19"].detail


# A program that is wrong

WITH_PROGRAM = {"GM-04", *(f"GM-{number:02}" for number in range(6, 16))}
PROGRAMS = {
    "exits": ("raise SystemExit(3)", "exited with status 3"),
    "prints, and exits": ("print('{}'); raise SystemExit(1)", "exited with status 1"),
    "is killed": ("import os; os.kill(os.getpid(), 9)", "exited with status -9"),
    "prints nothing": ("", "printed no JSON"),
    "prints text": ("print('token')", "printed no JSON"),
    "prints two": ("print('{}{}')", "printed no JSON"),
    "prints a list": ("print('[]')", "no object"),
    "prints a number": ("print('1')", "no object"),
    "prints null": ("print('null')", "no object"),
    "prints nested": ("print('{\"a\":' + '[' * 100000)", "printed no JSON"),
    "prints no UTF-8": ("import sys; sys.stdout.buffer.write(b'\"\\xff\"')", "printed no JSON"),
    "prints a surrogate": ('print(\'{"error":"\\\\ud800"}\')', "printed no JSON"),
    "prints for ever": ("while True: print('x' * 65536)", "printed more than 1048576 bytes"),
}


@pytest.mark.parametrize(("program", "reason"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_that_fails_is_a_finding(program, reason):
    with serving() as server:
        line = [sys.executable, "-I", "-S", "-c", program]
        found = findings(authority.members(server) | {"authorize": line})
    for number in WITH_PROGRAM | OF_THE_GRANT:
        assert found[number].outcome == "failed"
    assert reason in found["GM-04"].detail
    assert [number for number, one in found.items() if one.outcome == "passed"] == [
        "GM-01",
        "GM-02",
        "GM-03",
    ]


@pytest.mark.parametrize("line", [["/no/such/program"], [""], ["/"], ["a\0b"]])
def test_a_program_that_cannot_start_is_a_finding(line):
    with serving() as server:
        found = findings(authority.members(server) | {"authorize": line}, {"GM-04"})["GM-04"]
    assert found.outcome == "failed"
    assert "Error" in found.detail


def test_a_program_that_does_not_end_is_ended_with_what_it_started(tmp_path):
    """The finding says so, without the command line, which may hold secrets."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    alive = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    script = f"(sleep 60; echo alive) > {pipe} & sleep 60; : secret"
    with serving() as server:
        members = authority.members(server)
        members |= {"authorize": ["/bin/sh", "-c", script], "authorize_timeout": 1.5}
        found = findings(members, {"GM-04"})["GM-04"]
    os.set_blocking(alive, True)
    # Nobody is left who could write.
    assert os.read(alive, 10) == b""
    os.close(alive)
    assert found.outcome == "failed"
    assert found.detail == "the 'authorize' program did not end within 1.5 seconds"


def test_a_program_need_not_read(tmp_path):
    line = [sys.executable, "-I", "-S", "-c", 'print(\'{"error":"access_denied"}\')']
    with serving() as server:
        found = findings(authority.members(server) | {"authorize": line}, {"GM-04"})["GM-04"]
    assert found.detail == "the error access_denied came back"


# What is reported

BAD = "\u0007\u0008\u001b[2J\u009b\u007f\u202e\u2028\ufffe\uffff\U0001fffe"
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff\ufffe\uffff]")


def hostile(asked, answer):
    """Whatever is shown of a server's words has what no terminal and no XML file should get."""
    if asked.door == "authorize" and asked.number > 1:
        return authority.Answer(value={"error": BAD, "error_description": BAD})
    if asked.door == "gm":
        return answer.field("WWW-Authenticate", "Basic \u001b[31m\u0008\u009b\u00ad")
    if asked.door == "token":
        return (b"HTTP/1.1 \x1b[31m\x08\x9b OK\r\n\r\n",)
    return answer


def test_no_control_character_reaches_a_terminal_or_a_file(tmp_path):
    with serving(hostile) as server:
        line = command(tmp_path, authority.members(server))
        done = subprocess.run(line, cwd=ROOT, capture_output=True, timeout=300)
    details = {one["number"]: one["detail"] for one in reports(tmp_path)["checks"]}
    assert "\\x07\\x08\\x1b[2J\\x9b\\x7f\\u202e" in details["GM-07"]
    assert "\\x1b[31m\\x08\\x9b\\xad" in details["GM-16"]
    files = [(tmp_path / name).read_bytes() for name in ("report.json", "junit.xml")]
    for written in (done.stdout, *files, *(detail.encode() for detail in details.values())):
        assert CONTROLS.search(written.decode()) is None
    assert done.stderr == b""


def test_a_finding_is_bounded(tmp_path):
    with serving(faulty.authorized(faulty.error("x" * 100_000))) as server:
        found = findings(authority.members(server), {"GM-04"})["GM-04"]
    assert len(found.detail) == 501


def echoing(asked, answer):
    """A server that repeats what it was sent, wherever it is shown."""
    said = f"{asked.token} {asked.parameters}"
    if asked.door == "token" and asked.number in (2, 4):
        return authority.Answer(400, {"error": said})
    if asked.door == "gm" and answer.status == 401:
        return answer.field("WWW-Authenticate", f"Basic {said}")
    if asked.action == "create" and asked.number == 2:
        return answer.but(error=f"{answer.value} {answer.value!r} {json.dumps(answer.value)}")
    return answer


def test_no_credential_is_reported(tmp_path):
    """Neither what the config gives nor what was issued, as it is or as it was sent."""
    with serving(echoing) as server:
        server.client_secret = 'it\'s "a" secret/of\\a + test'
        line = command(tmp_path, authority.members(server))
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    details = {one["number"]: one["detail"] for one in reports(tmp_path)["checks"]}
    pair = next(one.token for one in server.seen if one.door == "token")
    said = "\n".join([done.stdout, done.stderr, *details.values()])
    issued = {one.token for one in server.seen if one.who == "client"}
    assert len(issued) > 3
    for secret in {pair, WEAK, OUTLIVING, *issued, *server.access, *server.refresh}:
        assert secret not in said
    for part in ("at-", "rt-", "code-", "secret"):
        assert part not in said.replace("client-secret", "")
    assert details["GM-14"].startswith("expected the error invalid_grant, got [hidden] {")
    assert details["GM-07"].count("[hidden]") > 3


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("door", ["gm", "authorize"])
def test_an_interrupted_run_reports_what_it_found(tmp_path, sent, door):
    """The report says that it is not complete, to continuous integration too."""
    reached, ended = Event(), Event()

    def wait(answer):
        reached.set()
        ended.wait(60)
        return answer

    with serving(faulty.on(door, wait, number=2)) as server:
        line = command(tmp_path, authority.members(server))
        with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert reached.wait(60)
            process.send_signal(sent)
            said = process.communicate(timeout=60)[0]
        ended.set()
    found = reports(tmp_path)
    made = len(found["checks"])
    assert process.returncode == 130
    assert found["complete"] is False
    assert 0 < made < len(CHECKS)
    assert found["counts"]["passed"] == made
    assert f"interrupted: {made} of {len(CHECKS)} checks were made" in said
    assert f"{made} of {len(CHECKS)} checks" in (tmp_path / "junit.xml").read_text()


def test_a_reader_that_goes_away_does_not_end_the_run(tmp_path):
    with serving() as server:
        line = command(tmp_path, authority.members(server))
        with subprocess.Popen(
            line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            process.stdout.close()
            assert process.stderr.read() == b""
    assert process.returncode == 0
    assert reports(tmp_path)["complete"]


def test_a_terminal_of_another_encoding_does_not_end_the_run(tmp_path):
    with serving() as server:
        line = command(tmp_path, authority.members(server))
        env = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
        done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")
    assert reports(tmp_path)["counts"]["passed"] == len(CHECKS)


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_file_that_cannot_be_written_is_told_before_any_check(tmp_path, option):
    with serving() as server:
        line = [*command(tmp_path, authority.members(server)), option, str(tmp_path / "no" / "a")]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr, server.seen) == (2, "", [])
    assert "No such file or directory" in done.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="it needs /dev/full")
def test_a_file_that_fails_leaves_the_other(tmp_path):
    with serving() as server:
        line = [*command(tmp_path, authority.members(server)), "--json", "/dev/full"]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (2, "")
    assert "No space left" in done.stdout
    assert len(ET.fromstring((tmp_path / "junit.xml").read_bytes())) == len(CHECKS)


# The config, and the documents


@pytest.mark.parametrize(
    "members",
    [
        {"unknown": "x"},
        {"scope": ["x"]},
        {"authorize": "x"},
        {"authorize": [1]},
        {"grant_id": 5},
        {"timeout": "x"},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": True},
        {"authorize_timeout": 0},
        {"authorize_timeout": "5"},
        {"more_scope": "b a", "scope": "a b c"},
    ],
)
def test_config_that_cannot_be_used(tmp_path, members):
    code, said = run(tmp_path, **members)
    assert code == 2
    assert next(iter(members)) in said


@pytest.mark.parametrize(
    "content", [b"\xff", b"a", b"a = " + b"[" * 10_000, b"timeout = inf", None]
)
def test_a_config_that_cannot_be_read(tmp_path, content):
    line = command(tmp_path, {})
    (tmp_path / "config.toml").unlink()
    if content is not None:
        (tmp_path / "config.toml").write_bytes(content)
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (2, "")
    assert "config.toml" in done.stdout


def test_without_what_it_needs_it_skips(tmp_path):
    code, checks = run(tmp_path)
    assert code == 0
    assert {one["outcome"] for one in checks.values()} == {"skipped"}


def test_checks_are_numbered_and_documented():
    assert [one.number for one in CHECKS] == [
        f"GM-{number:02}" for number in range(1, len(CHECKS) + 1)
    ]
    documented = (ROOT / "docs" / "reference" / "conformance.md").read_text()
    assert CHECKS
    for one in CHECKS:
        assert f"| {one.number} | {one.section} | {one.title} |" in documented


def test_every_item_of_the_draft_is_accounted_for():
    """By a test that is there, or a reason."""
    rows = re.findall(
        r"^\| (\d+) \| (.+) \| (.+) \|$",
        (ROOT / "docs" / "reference" / "draft.md").read_text(),
        re.M,
    )
    assert [int(number) for number, _, _ in rows] == list(range(1, 49))
    for _, _, where in rows:
        for name in re.findall(r"`(test_\w+\.py)`", where):
            assert list((ROOT / "tests").rglob(name)), name
        for number in re.findall(r"GM-(\d+)", where):
            assert int(number) <= len(CHECKS)
