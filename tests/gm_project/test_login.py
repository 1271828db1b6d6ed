"""Logins that fail are throttled: by account and address, by address, by account."""

import concurrent.futures
import contextlib
import http.cookiejar
import threading
import urllib.error
import urllib.parse
import urllib.request
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import DatabaseError, connections
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.translation import get_language

from gm_project.login import throttle as login_throttle
from gm_project.login.client_address import client_address, network_of
from gm_project.login.throttle import (
    ACCOUNT,
    ADDRESS,
    GATE,
    LIMITS,
    PAIR,
    PERIOD,
    Throttled,
    attempt,
)
from gm_project.models import LoginCount

from ..ours import connection
from ..standalone import manage, serving, until
from ..world import later
from .test_processes import database_url, postgresql  # noqa: F401 - fixtures

needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql",
    reason="needs PostgreSQL: --db postgresql (SQLite's is in memory; the server's is a file)",
)
PASSWORD = "correct horse battery"


@pytest.fixture
def ann(db):
    return get_user_model().objects.create_superuser("ann", password=PASSWORD)


@pytest.fixture
def hashes(monkeypatch):
    """The passwords that were hashed."""
    made, real = [], PBKDF2PasswordHasher.encode

    def encode(self, password, *arguments):
        made.append(password)
        return real(self, password, *arguments)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", encode)
    return made


def log_in(name="ann", password="wrong", address="192.0.2.1", **meta):
    meta = {"REMOTE_ADDR": address} | meta
    return Client().post(reverse("admin:login"), {"username": name, "password": password}, **meta)


def fail(times, name="ann", address="192.0.2.1"):
    for _ in range(times):
        assert log_in(name, address=address).status_code == 200


def counted(times, name="ann", address="192.0.2.1"):
    """Failures without the cost of a hash."""
    for _ in range(times):
        attempt(name, address).failed()


def test_the_sixth_is_refused_before_a_hash(ann, hashes):
    fail(LIMITS[PAIR])
    assert len(hashes) == LIMITS[PAIR]
    answer = log_in(password=PASSWORD)
    assert len(hashes) == LIMITS[PAIR]
    assert (answer.status_code, answer["Content-Type"]) == (429, "text/plain; charset=utf-8")
    assert 0 < int(answer["Retry-After"]) <= PERIOD.total_seconds() + 1
    assert answer["Cache-Control"] == "no-store"
    assert "sessionid" not in answer.cookies
    assert (
        later(lambda: log_in(password=PASSWORD), PERIOD + timedelta(seconds=1)).status_code == 302
    )


def test_whether_the_account_exists_makes_no_difference(ann):
    fail(LIMITS[PAIR], "ann")
    fail(LIMITS[PAIR], "nobody")
    there, absent = log_in("ann"), log_in("nobody")
    assert there.status_code == absent.status_code == 429
    assert there.content == absent.content
    assert abs(int(there["Retry-After"]) - int(absent["Retry-After"])) <= 30


def test_another_spelling_is_the_same_account(ann):
    for name in ("ann", "ANN", "Ann", "\uff41nn", " ann "):  # NFKC makes a full-width a an a
        fail(1, name)
    assert log_in("aNN").status_code == 429


def test_a_user_who_may_not_enter_counts_as_a_failure(db):
    get_user_model().objects.create_user("bob", password=PASSWORD)  # no member of the staff
    for _ in range(LIMITS[PAIR]):
        assert log_in("bob", PASSWORD).status_code == 200
    assert log_in("bob", PASSWORD).status_code == 429


def test_a_success_resets_its_own_count_alone(ann):
    for _ in range(3):
        fail(LIMITS[PAIR] - 1)
        assert log_in(password=PASSWORD).status_code == 302
    counts = sorted(LoginCount.objects.exclude(key=GATE).values_list("failures", flat=True))
    assert counts == [0, 0, 4, 12]  # from the first success on the address is known to the account


def test_an_address_that_tries_many_accounts(db):
    for number in range(LIMITS[ADDRESS]):
        counted(1, f"user-{number}")
    with pytest.raises(Throttled):
        attempt("somebody-else", "192.0.2.1")
    attempt("somebody-else", "192.0.2.2")


def test_one_s_own_account_does_not_reset_the_address(db):
    for number in range(LIMITS[ADDRESS]):
        attempt("mallory", "192.0.2.1").succeeded()
        counted(1, f"user-{number}")
    with pytest.raises(Throttled):
        attempt("somebody-else", "192.0.2.1")


def test_many_addresses_and_the_owner(db):
    """They are refused, the owner at a known address is not, and elsewhere is for a while."""
    attempt("ann", "198.51.100.7").succeeded()
    for number in range(LIMITS[ACCOUNT]):
        counted(1, address=f"192.0.2.{number}")
    with pytest.raises(Throttled):
        attempt("ann", "203.0.113.1")
    attempt("ann", "198.51.100.7").succeeded()
    later(lambda: attempt("ann", "203.0.113.1"), PERIOD + timedelta(seconds=1))


def test_a_stranger_elsewhere_does_not_refuse_the_owner(db):
    counted(LIMITS[PAIR], address="203.0.113.9")
    attempt("ann", "198.51.100.7")


def test_a_client_has_one_count_for_all_of_its_ipv6_addresses(db):
    for number in range(LIMITS[PAIR]):
        counted(1, address=f"2001:db8:1:2::{number}")
    with pytest.raises(Throttled):
        attempt("ann", "2001:db8:1:2:ffff::1")
    attempt("ann", "2001:db8:1:3::1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("x" * 300, "x" * 100),
    ],
)
def test_networks(address, network):
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("remote", "told", "address"),
    [
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),  # no trusted proxy
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the first is invented
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),  # two proxies
        ("10.0.0.1", "10.0.0.3", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", " , ", "10.0.0.1"),
        ("10.0.0.1", "junk", "junk"),
    ],
)
def test_the_address_behind_proxies(settings, remote, told, address):
    settings.GRANT_MANAGEMENT = {"TRUSTED_PROXIES": ["10.0.0.0/8"]}
    asked = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=told)
    assert client_address(asked) == address


def test_a_header_that_clients_can_write_is_ignored(settings):
    """Under granian `X_Forwarded_For` is the same header."""
    meta = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}
    asked = RequestFactory().get("/", SERVER_SOFTWARE="Granian", **meta)
    settings.GRANT_MANAGEMENT = {"TRUSTED_PROXIES": ["10.0.0.0/8"]}
    assert client_address(asked) == "10.0.0.1"
    settings.GRANT_MANAGEMENT = {
        "TRUSTED_PROXIES": ["10.0.0.0/8"],
        "UNDERSCORES_ARE_DROPPED": True,
    }
    assert client_address(asked) == "1.1.1.1"


def test_one_line_in_the_log_and_no_name_in_it(ann, caplog):
    fail(LIMITS[PAIR])
    for _ in range(3):
        assert log_in().status_code == 429
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert lines[0].startswith("5 logins failed for one account and address (")
    assert "ann" not in lines[0]
    assert "192.0.2.1" not in lines[0]


def test_what_is_stored(db):
    counted(1, "ann", "192.0.2.1")
    stored = repr(list(LoginCount.objects.values()))
    assert "ann" not in stored
    assert "192.0.2" not in stored


def test_the_table_does_not_grow(db):
    """What ended goes, some rows at each attempt, so that it never takes long."""
    for number in range(60):
        counted(1, f"user-{number}", f"192.0.2.{number}")
    assert LoginCount.objects.count() == 181

    def attempts():
        for number in range(20):
            counted(1, f"other-{number}", f"198.51.100.{number}")

    later(attempts, 2 * PERIOD)
    assert LoginCount.objects.count() < 80


def test_a_refused_attempt_leaves_no_row(db):
    for number in range(LIMITS[ADDRESS]):
        counted(1, f"user-{number}")
    before = LoginCount.objects.count()
    for number in range(20):
        with pytest.raises(Throttled):
            attempt(f"more-{number}", "192.0.2.1")
    assert LoginCount.objects.count() == before


def test_a_stamp_of_a_clock_that_was_ahead(db):
    later(lambda: counted(LIMITS[PAIR]), timedelta(days=2))
    attempt("ann", "192.0.2.1")


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_checked_no_more_often():
    """Counted before they are checked: of 24 attempts at once, five may go on."""
    passed, gate = [], threading.Barrier(24)

    def one():
        gate.wait()
        try:
            with contextlib.suppress(Throttled):
                passed.append(attempt("ann", "192.0.2.1"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == LIMITS[PAIR]
    assert [one.filled for one in passed].count((PAIR,)) == 1


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_successes_and_failures_at_once():
    """Rows that one deletes or locks are no error for another."""
    failures = []

    def one(number):
        try:
            for _ in range(5):
                with contextlib.suppress(Throttled):
                    counted = attempt(f"user-{number % 2}", f"192.0.2.{number % 3}")
                    counted.succeeded() if number % 2 else counted.failed()
                with login_throttle._alone() as moment:
                    login_throttle._sweep(moment + timedelta(days=365))
        except DatabaseError as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


class TestServer:
    """Two workers share the counts; the log has one line."""

    def test_workers_share_the_counts(self, database_url, tmp_path):  # noqa: F811 - it is that fixture
        """Of a dozen logins at once five are checked, whichever worker takes them."""
        log = tmp_path / "log"
        manage("migrate", "-v", "0", DATABASE_URL=database_url)
        with serving(database_url, 2, log=log, SECRET_KEY="k" * 50) as port:
            with concurrent.futures.ThreadPoolExecutor(12) as pool:
                said = sorted(pool.map(_post_login, [port] * 12))
            assert said == [200] * LIMITS[PAIR] + [429] * (12 - LIMITS[PAIR])
            until(lambda: "logins failed" in log.read_text(), "the line in the log")
        assert log.read_text().count("logins failed") == 1


def _post_login(port):
    """As a browser: with the token of a page that was loaded before."""
    cookies = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    page = f"http://127.0.0.1:{port}/admin/login/"
    opener.open(page, timeout=30).read()
    token = next(one.value for one in cookies if one.name == "csrftoken")
    fields = {"username": "ann", "password": "wrong", "csrfmiddlewaretoken": token}
    try:
        return opener.open(page, urllib.parse.urlencode(fields).encode(), timeout=30).status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_limits_are_in_order():
    assert LIMITS[PAIR] < LIMITS[ADDRESS] < LIMITS[ACCOUNT]
    assert len(LIMITS) + 1 < login_throttle.SWEPT


@pytest.mark.parametrize(
    ("asked", "title", "refused"),
    [
        ("de", "Anmelden", "Zu viele Anmeldungen sind fehlgeschlagen."),
        ("ja-JP,ja;q=0.9", "ログイン", "ログインの失敗が多すぎます。"),
        ("fr", "Log in", "Too many logins failed. Try again in "),
        ("", "Log in", "Too many logins failed. Try again in "),
    ],
)
def test_the_language_that_the_browser_asks_for(db, asked, title, refused):
    """Nobody has logged in yet, so nothing else is known."""
    meta = {"HTTP_ACCEPT_LANGUAGE": asked}
    page = Client().get(reverse("admin:login"), **meta)
    assert title in page.content.decode()
    assert "Accept-Language" in page["Vary"]
    counted(LIMITS[PAIR])
    answer = log_in(**meta)
    assert answer.status_code == 429
    assert answer.content.decode().startswith(refused)
    assert get_language() == "en"
