"""The conformance suite against servers that are wrong in known ways, and against a hostile one."""

import contextlib
import datetime
import json
import os
import re
import ssl
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from grant_management.conformance.checks import CHECKS
from grant_management.conformance.deadline import MOST

from .. import authority
from ..standalone import ROOT
from . import hostile_server
from .test_conformance import command, findings, reports, run
from .wrong_servers import ALL, WRONG

LIE = 'print(\'{"access_token": "at-of-a-liar", "grant_id": "g", "refresh_token": "r"}\')'


@pytest.mark.parametrize("kind", WRONG, ids=lambda kind: kind.__name__)
def test_a_wrong_server_fails_these_checks_and_no_others(tmp_path, kind):
    """Each failure says what was seen, and what to repair."""
    with authority.serving(kind=kind) as server:
        code, checks = run(tmp_path, **authority.members(server))
    failed = {number for number, one in checks.items() if one["outcome"] == "failed"}
    assert code == 1
    assert failed == kind.fails
    for number, one in checks.items():
        assert (one["repair"] != "", one["detail"] != "") >= ((number in failed),) * 2


def test_what_to_repair_stands_in_every_report(tmp_path):
    with authority.serving(kind=WRONG[1]) as server:
        done = subprocess.run(
            command(tmp_path, authority.members(server)), cwd=ROOT, capture_output=True, text=True
        )
    wanted = "Answer GET and DELETE of a revoked grant by 404."
    assert f"→ {wanted}" in done.stdout
    assert f"{wanted}</failure>" in (tmp_path / "junit.xml").read_text()
    assert {one["repair"] for one in reports(tmp_path)["checks"]} >= {"", wanted}


def test_a_failure_that_follows_from_another_names_it():
    with authority.serving(twist=lambda asked, answer: authority.Answer(500)) as server:
        found = findings(authority.members(server), {"GM-04", "GM-05", "GM-14"})
    assert found["GM-05"].repair == "Repair GM-04 first."


# A hostile server


def config_for(port):
    base = f"http://127.0.0.1:{port}"
    return {
        "metadata_url": f"{base}/metadata",
        "grant_management_endpoint": f"{base}/gm",
        "token_endpoint": f"{base}/token",
        "authorize": [sys.executable, "-I", "-S", "-c", LIE],
        "more_scope": "x",
        "outliving_access_token": "o-token",
        "weak_access_token": "w-token",
        "other_grant_id": "b",
        "timeout": 0.5,
    }


def test_a_hostile_server_is_survived(tmp_path):
    """Every check is made, what fails says why in words, and nothing escapes to the terminal."""
    with hostile_server.serving() as (port, shown):
        line = command(tmp_path, config_for(port))
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (1, "")
    assert len(shown) > len(hostile_server.HOSTILITIES) / 2
    found = reports(tmp_path)
    assert found["complete"]
    passed = {one["number"] for one in found["checks"] if one["outcome"] == "passed"}
    assert passed == {"GM-04", "GM-05"}  # of the program alone
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout)


WORDS = {
    "closes at once": "closed the connection without an answer",
    "resets": "there was no connection, or it broke (ConnectionResetError",
    "is silent": "the server was silent for too long",
    "speaks another protocol": "the answer is not HTTP",
    "is HTTP/1.0, and breaks off": "the body broke off",
    "sends an endless body": "more than 1048576 bytes",
    "sends endless headers": "the answer is not HTTP",
    "bombs": "the body is encoded, unasked: gzip",
    "redirects to itself": "expected HTTP 200, got 302",
    "drips": "did not end within 1 seconds",
}


@pytest.mark.parametrize("name", hostile_server.HOSTILITIES)
def test_each_hostility_is_a_finding(name):
    with hostile_server.serving(name) as (port, _):
        found = findings(config_for(port), {"GM-01", "GM-04", "GM-19"})
    assert found["GM-19"].outcome == "failed"
    assert found["GM-19"].repair
    assert WORDS.get(name, "") in found["GM-19"].detail


def test_a_server_that_never_answers_is_not_waited_for_each_time():
    with hostile_server.serving("is silent") as (port, shown):
        found = findings(config_for(port))
    assert len(found) == len(CHECKS)
    assert len(shown) == MOST + 1  # the metadata, which are read once
    assert (
        "had been late 3 times in a row" in found["GM-32"].detail
        or "GM-29" in found["GM-32"].detail
    )


def test_a_program_that_never_ends_is_not_waited_for_each_time(tmp_path):
    """It ends once, or nothing else would be asked of it."""
    ran = tmp_path / "ran"
    answer = '{"access_token":"at-of-a-liar","grant_id":"g"}'
    script = f"echo >> {ran}; [ $(wc -l < {ran}) = 1 ] || sleep 60; echo '{answer}'"
    with authority.serving() as server:
        members = authority.members(server)
        members |= {"authorize": ["/bin/sh", "-c", script], "authorize_timeout": 0.5}
        found = findings(members)
    assert len(ran.read_text().splitlines()) == 1 + MOST
    assert "was not asked: it had been late 3 times in a row" in found["GM-15"].detail


@contextlib.contextmanager
def over_tls(folder):
    """A server whose certificate nobody trusts; the port."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    pem = serialization.Encoding.PEM
    (folder / "tls.pem").write_bytes(
        made.sign(key, hashes.SHA256()).public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_a_certificate_that_is_not_trusted_is_told_in_words(tmp_path):
    with over_tls(tmp_path) as port:
        found = findings({"metadata_url": f"https://localhost:{port}/m"}, {"GM-01"})["GM-01"]
    assert "the server's certificate is not trusted here" in found.detail
    assert "SSL_CERT_FILE" in found.repair


def test_a_server_that_is_not_there():
    with hostile_server.serving() as (port, _):
        pass
    found = findings(config_for(port), {"GM-01"})["GM-01"]
    assert "the connection was refused" in found.detail
    assert found.repair == "Start the server, or correct its URL in the config."


# Without rich, and without Django


def plain(tmp_path, members):
    """The same command with the standard library alone."""
    python, *rest = command(tmp_path, members)
    return [python, "-S", *rest]


def test_the_standard_library_is_all_that_it_needs(tmp_path):
    with authority.serving() as server:
        line = plain(tmp_path, authority.members(server))
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert "✓ passed  GM-01  §7.1" in done.stdout
    assert f"{len(CHECKS)} passed, 0 failed, 0 skipped" in done.stdout
    assert reports(tmp_path)["counts"]["passed"] == len(CHECKS)


def test_a_reader_that_goes_away_does_not_end_a_plain_run(tmp_path):
    with (
        authority.serving() as server,
        subprocess.Popen(
            plain(tmp_path, authority.members(server)),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
    assert reports(tmp_path)["complete"]


def test_without_a_config_it_says_what_it_takes():
    done = subprocess.run(
        [sys.executable, "-S", "-m", "grant_management.conformance"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert done.returncode == 2
    assert "CONFIG.toml" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_check_says_what_to_repair():
    assert {one.number for one in CHECKS} == ALL
    for one in CHECKS:
        assert re.fullmatch(r"[A-Z].*\.", one.repair), one.number
    assert json.dumps([one.repair for one in CHECKS]).isascii()
