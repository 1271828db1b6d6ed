"""The units of systemd: they verify, and what they run runs."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from ..standalone import (
    PATH,
    ROOT,
    environment,
    free_port,
    manage,
    post,
    running,
    seed,
    until,
    wait_for,
)

FOLDER = ROOT / "deploy"
UNITS = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".service", ".timer"))
SERVICES = [name for name in UNITS if name.endswith(".service")]
CLUSTER = FOLDER / "cluster"
PATRONI, DROP_IN = "grant-management-patroni.service", "pgbouncer.service.d/grant-management.conf"
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")


@pytest.fixture(scope="module", autouse=True)
def once(request):
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("seen with --db sqlite")


def directives(name, folder=FOLDER):
    """The assignments of a unit: the values of each name."""
    found = {}
    for line in (folder / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def here(text):
    """With the programs and the folder of this checkout in place of the documented ones."""
    text = text.replace("/opt/grant-management/.venv/bin/python", sys.executable)
    return text.replace("/opt/grant-management", str(ROOT))


def line_of(name):
    (line,) = directives(name)["ExecStart"]
    program, *arguments = map(here, line.split())
    assert program == sys.executable
    return arguments


def analyze(*arguments):
    done = subprocess.run(
        [ANALYZE, *map(str, arguments)], env=environment(), capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def verified(folder, change=lambda text: text):
    """As verified where this checkout is; its path may have spaces, which a unit would quote."""
    (folder / "python").symlink_to(sys.executable)
    (folder / "checkout").symlink_to(ROOT)
    for path in (*(FOLDER / name for name in UNITS), CLUSTER / PATRONI):
        text = path.read_text().replace("/opt/patroni/bin/patroni", str(folder / "python"))
        text = text.replace("/opt/grant-management/.venv/bin/python", str(folder / "python"))
        text = text.replace("/opt/grant-management", str(folder / "checkout"))
        (folder / path.name).write_text(change(text))
    return analyze("verify", "--man=no", *(folder / name for name in (*UNITS, PATRONI)))


@needs_systemd
def test_units_verify(tmp_path):
    assert verified(tmp_path) == (0, "")


@needs_systemd
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Restart=always", "Restrat=always"),
        ("ExecStart=", "ExecStart=/nowhere"),
        ("Type=notify", "Type=notified"),
        ("OnCalendar=hourly", "OnCalendar=sometimes"),
        ("ProtectSystem=strict", "ProtectSystem=yes please"),
    ],
)
def test_a_unit_with_a_mistake_does_not(tmp_path, right, wrong):
    """The test before this one can fail."""
    assert verified(tmp_path, lambda text: text.replace(right, wrong)) != (0, "")


@needs_systemd
def test_what_is_added_to_pgbouncer_verifies(tmp_path):
    """As it says in a unit of that name; it starts again, without a limit, and has enough files."""
    text = (CLUSTER / DROP_IN).read_text()
    unit = tmp_path / "pgbouncer.service"
    unit.write_text(text.replace("[Service]", "[Service]\nExecStart=/bin/true"))
    assert analyze("verify", "--man=no", unit) == (0, "")
    told = directives(DROP_IN, CLUSTER)
    assert (told["Restart"], told["StartLimitIntervalSec"]) == (["always"], ["0"])
    assert int(told["LimitNOFILE"][0]) >= 10_000


def test_patroni_may_write_where_its_files_say():
    """ProtectSystem=strict closes everything else, also /run with the socket."""
    unit = directives(PATRONI, CLUSTER)
    assert unit["ProtectSystem"] == ["strict"]
    (open_to_it,) = unit["ReadWritePaths"]
    page = (ROOT / "docs" / "how-to" / "cluster.md").read_text()
    for name in ("POSTGRESQL_DATA", "PASSWORD_FILE", "SOCKET_FOLDER"):
        path = page.partition(f"\n{name}=")[2].partition("\n")[0].replace("/var/run/", "/run/")
        assert any(path.startswith(one) for one in open_to_it.split()), name


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_exposure(name):
    """As `systemd-analyze security` measures it: 0 is a closed box, 10 a program of root."""
    code, said = analyze("security", "--offline=yes", "--threshold=20", FOLDER / name)
    assert code == 0, said


def test_the_server_is_started_again_and_never_given_up():
    unit = directives("grant-management.service")
    assert unit["Type"] == ["notify"]
    assert unit["Restart"] == ["always"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert unit["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert int(unit["LimitNOFILE"][0]) >= 10_000


def test_there_is_time_for_the_calls_in_hand():
    """systemd kills later than the server itself does."""
    from gm_project.serving.worker import GRACE

    assert int(directives("grant-management.service")["TimeoutStopSec"][0]) >= 2 * GRACE


@pytest.mark.parametrize("name", SERVICES)
def test_both_services_are_closed_alike(name):
    unit, other = directives(name), directives("grant-management.service")
    assert unit["User"] == ["grant-management"]
    assert unit["EnvironmentFile"] == ["/etc/grant-management/environment"]
    closing = ("Protect", "Private", "Restrict", "System", "Capab", "NoNew", "Memory", "Lock", "U")
    chosen = [key for key in unit | other if key.startswith(closing)]
    assert len(chosen) > 15
    assert {key: unit.get(key) for key in chosen} == {key: other.get(key) for key in chosen}


def test_what_the_server_runs(tmp_path):
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    port = free_port()
    line = [str(port) if word == "8000" else word for word in line_of("grant-management.service")]
    assert str(port) in line
    with running(*line, DATABASE_URL=url):
        wait_for(port)
        assert post(port, PATH, "", {})[1]["resultCode"] == "A001203"


def test_the_worker_is_started_again_and_never_given_up():
    unit = directives("grant-management-deliver.service")
    assert (unit["Restart"], unit["StartLimitIntervalSec"]) == (["always"], ["0"])


def test_what_the_worker_runs(tmp_path):
    """It numbers the events that wait, and runs until it is ended."""
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    seed(url, tmp_path)
    manage("publish_events", "--service", 1001, DATABASE_URL=url)
    manage("lock_client", "--service", 1001, "--client", "app-1", DATABASE_URL=url)
    waiting = "SELECT count(*) FROM grant_management_outboxentry WHERE number IS NULL"
    with contextlib.closing(sqlite3.connect(tmp_path / "own.sqlite3")) as connection:
        assert connection.execute(waiting).fetchone()[0] > 0
        with running(*line_of("grant-management-deliver.service"), DATABASE_URL=url) as worker:
            until(lambda: connection.execute(waiting).fetchone() == (0,), "the numbers")
            assert worker.poll() is None


def test_what_the_purge_runs(tmp_path):
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    seed(url, tmp_path)
    opened = sqlite3.connect(tmp_path / "own.sqlite3", isolation_level=None)
    with contextlib.closing(opened) as connection:
        connection.execute(
            "UPDATE grant_management_accesstoken SET expires_at = '2020-01-01 00:00:00'"
        )
    done = subprocess.run(
        [sys.executable, *line_of("grant-management-purge.service")],
        cwd=ROOT,
        env=environment(DATABASE_URL=url),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "2 accesstoken" in done.stdout) == (0, True), done.stderr


def test_what_the_backup_runs(tmp_path):
    """A whole copy for its owner alone; an old one is deleted, and nothing half made is left."""
    folder = tmp_path / "backups"
    folder.mkdir()
    old = folder / "grants-2020-01-01.sqlite3"
    old.touch()
    os.utime(old, (0, 0))
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    seed(url, tmp_path)
    (program,) = directives("grant-management-backup.service")["ExecStart"]
    subprocess.run([here(program), folder], env=environment(DATABASE_URL=url), check=True)
    (made,) = folder.iterdir()
    assert (made.suffix, made.stat().st_mode & 0o777) == (".sqlite3", 0o600)
    with contextlib.closing(sqlite3.connect(made)) as copy:
        assert copy.execute("SELECT grant_id FROM grant_management_grant").fetchall() == [("g-1",)]


def test_a_backup_that_fails_leaves_none(tmp_path):
    """What is left is not taken for a backup."""
    (program,) = directives("grant-management-backup.service")["ExecStart"]
    env = environment(DATABASE_URL="postgres://127.0.0.1:1/none")
    assert subprocess.run([here(program), tmp_path], env=env, capture_output=True).returncode != 0
    assert [one for one in tmp_path.iterdir() if one.suffix != ".part"] == []
