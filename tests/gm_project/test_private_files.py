"""Files of the standalone project are their owner's alone, from the moment that they exist."""

import logging
import os
import re
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gm_project.database import private_files
from gm_project.database.private_files import PrivateConnection, file_of
from gm_project.launcher import environment as environment_of
from gm_project.launcher import key

from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    ROOT,
    SERVER,
    environment,
    free_port,
    manage,
    migrate_and_import,
    post,
    running,
    seed,
    wait_for,
)

PROGRAM = """
import os, sys
from gm_project.database.private_files import file_of
os.umask(0)
seen = []
def hook(event, arguments):
    if event == "sqlite3.connect":
        path = file_of(arguments[0])
        seen.append((path.name, path.stat().st_mode & 0o777))
sys.addaudithook(hook)
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
assert seen and all(mode == 0o600 for _, mode in seen), seen
print(sorted({name for name, _ in seen}))
"""


@pytest.fixture(autouse=True)
def once(request):
    """No database is asked for here: one of the two runs is enough."""
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("seen with --db sqlite")


@pytest.fixture
def umask_0():
    """The most that a system can leave open."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder):
    return {path.name: path.stat().st_mode & 0o777 for path in Path(folder).rglob("*")}


def run_python(program, **env):
    settings = {"DJANGO_SETTINGS_MODULE": "gm_project.settings", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment(**settings, **env),
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize(
    "form", ["sqlite:///{}", "sqlite:///file:{}", "sqlite:///file://{}", "sqlite:///{}?timeout=5"]
)
def test_a_database_is_private_before_sqlite_opens_it(tmp_path, form):
    """So there is no moment at which another user can open it."""
    path = tmp_path / "own é.sqlite3"
    said = run_python(PROGRAM, DATABASE_URL=form.format(path)).stdout
    assert said.strip() == "['own é.sqlite3', 'own é.sqlite3-migrate']"
    assert set(modes(tmp_path).values()) == {0o600}


def test_the_target_of_a_link_is_private(tmp_path, umask_0):
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "link.sqlite3").symlink_to(tmp_path / "data" / "real.sqlite3")
    manage("migrate", "-v", "0", DATABASE_URL=f"sqlite:///{tmp_path / 'link.sqlite3'}")
    assert modes(tmp_path / "data")["real.sqlite3"] == 0o600


def test_what_sqlite_keeps_beside_it_is_private(tmp_path, umask_0):
    """While a server runs, which has written."""
    url, port = f"sqlite:///{tmp_path / 'own.sqlite3'}", free_port()
    migrate_and_import(url, tmp_path)
    (tmp_path / "records.jsonl").unlink()
    with running(*SERVER, "127.0.0.1", port, 1, DATABASE_URL=url):
        wait_for(port)
        assert post(port, PATH, API_TOKEN, QUERY | {"gmAction": "REVOKE"})[0] == 200
        names = ("", "-migrate", "-shm", "-wal")
        assert modes(tmp_path) == {f"own.sqlite3{name}": 0o600 for name in names}


def test_a_database_that_was_open_to_others_is_mended(tmp_path, umask_0, caplog):
    """As earlier versions left it; and it is said, for what was read meanwhile stays read."""
    path = tmp_path / "own.sqlite3"
    old = sqlite3.connect(path)
    old.execute("PRAGMA journal_mode=WAL")
    old.execute("CREATE TABLE t (c)")
    assert set(modes(tmp_path).values()) == {0o644}
    with caplog.at_level(logging.WARNING):
        PrivateConnection(path).close()
    assert modes(tmp_path) == {f"own.sqlite3{name}": 0o600 for name in ("", "-wal", "-shm")}
    assert caplog.text.count("was open to other users") == 3
    caplog.clear()
    PrivateConnection(path).close()
    assert caplog.text == ""
    old.close()


def test_another_users_file_is_only_warned_about(tmp_path, umask_0, caplog, monkeypatch):
    path = tmp_path / "own.sqlite3"
    path.touch()

    def refuse(self, mode):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with caplog.at_level(logging.WARNING):
        PrivateConnection(path).close()
    assert "chmod 600 it (Operation not permitted)" in caplog.text


def test_what_is_no_file_keeps_its_mode(tmp_path, umask_0):
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)
    private_files.mend(folder)
    assert folder.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (":memory:", None),
        ("", None),
        ("file:x?mode=memory&cache=shared", None),
        ("file::memory:", None),
        ("/a/b c", "/a/b c"),
        (b"/a/b", "/a/b"),
        (Path("/a/b"), "/a/b"),
        ("file:/a/b%20c?mode=rwc#x", "/a/b c"),
        ("file:///a/b", "/a/b"),
    ],
)
def test_names_of_sqlite(name, path):
    assert file_of(name) == (None if path is None else Path(path))


def test_what_commands_write_is_private(tmp_path, umask_0):
    """Also over a file that was there."""
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    seed(url, tmp_path)
    old, new, dump = (tmp_path / name for name in ("old", "new", "dump"))
    old.touch(mode=0o644)
    for output in (old, new):
        manage("export_grants", "--output", output, DATABASE_URL=url)
    manage("dumpdata", "auth", "--output", dump, DATABASE_URL=url)
    assert {path.stat().st_mode & 0o777 for path in (old, new, dump)} == {0o600}
    manage("export_grants", "--output", os.devnull, DATABASE_URL=url)
    assert Path(os.devnull).stat().st_mode & 0o777 == 0o666


def test_the_demos_files_are_private(tmp_path, umask_0):
    """Also where its folder was there."""
    program = """
import os, pathlib, sys
os.umask(0)
from gm_project.demo import program as demo
demo.DEMO = pathlib.Path(sys.argv[1]) / "demo"
demo.DEMO.mkdir(mode=0o755)
sys.argv[1:] = ["--once"]
sys.exit(demo.main())
"""
    line = [sys.executable, "-c", program, str(tmp_path)]
    subprocess.run(line, cwd=ROOT, env=environment(), check=True, stdout=subprocess.DEVNULL)
    found = modes(tmp_path)
    assert found.pop("demo") == 0o700
    assert len(found) >= 2
    assert set(found.values()) == {0o600}


@pytest.fixture
def own_checkout(tmp_path, monkeypatch):
    """`run.py` keeps its files here."""
    monkeypatch.setattr(key, "KEY_FILE", tmp_path / ".secret_key")
    monkeypatch.setattr(environment_of, "SETUP_LOCK", tmp_path / ".setup-lock")
    monkeypatch.setattr(environment_of, "VENV", tmp_path / ".venv")


@pytest.mark.usefixtures("own_checkout")
def test_the_key_that_serve_makes_is_its_owners(tmp_path, umask_0):
    made = key.own_key()
    assert len(made) > 50
    assert key.own_key() == made
    assert modes(tmp_path) == {".secret_key": 0o600}
    (tmp_path / ".secret_key").chmod(0o644)
    assert key.own_key() == made
    assert modes(tmp_path) == {".secret_key": 0o600}


def at_once(function, number=8):
    """Call it in so many threads; the answers."""
    start = threading.Barrier(number)

    def one(_):
        start.wait()
        return function()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_servers_that_start_at_once_have_one_key(tmp_path):
    """None of them reads half of it."""
    for _ in range(50):
        at_once(lambda: key._make(tmp_path / ".secret_key"))
        assert len((tmp_path / ".secret_key").read_text()) > 50
        (tmp_path / ".secret_key").unlink()
    assert modes(tmp_path) == {}


@pytest.mark.usefixtures("own_checkout")
def test_a_key_is_never_seen_half_written(monkeypatch):
    """Another process asks in the middle of the first one's writing."""
    seen = []
    make = key.secrets.token_urlsafe

    def ask_meanwhile(size):
        monkeypatch.setattr(key.secrets, "token_urlsafe", make)
        seen.append(key.own_key())
        return make(size)

    monkeypatch.setattr(key.secrets, "token_urlsafe", ask_meanwhile)
    assert seen == [key.own_key()]


@pytest.mark.usefixtures("own_checkout")
def test_processes_that_set_up_at_once_do_it_once(monkeypatch):
    made = []

    def set_up(requirements):
        made.append(requirements)
        environment_of.VENV.mkdir()
        stamp = environment_of.VENV / f".{requirements}"
        stamp.write_text(environment_of.digest_of(requirements))

    monkeypatch.setattr(environment_of, "_set_up", set_up)
    at_once(lambda: environment_of.install("requirements.lock"), 4)
    assert made == ["requirements.lock"]


def demos_at_once(*arguments):
    """Two demos that start at the same moment: their exit codes, in order, and what both said."""
    line = [sys.executable, "-m", "gm_project.demo", "--once", *arguments]
    demos = [
        subprocess.Popen(
            line, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(2)
    ]
    said = "".join(demo.communicate(timeout=300)[0].decode() for demo in demos)
    return sorted(demo.returncode for demo in demos), said


def test_demos_that_start_at_once_have_a_port_each():
    """And with it a database: the second does not delete the first one's."""
    codes, said = demos_at_once()
    assert codes == [0, 0], said
    assert len(set(re.findall(r"Real calls to (\S+)", said))) == 2


def test_the_second_demo_of_a_port_is_refused():
    """It does not delete the database of the first, which goes on to its end."""
    port = str(free_port())
    codes, said = demos_at_once("--port", port)
    assert codes == [0, 1], said
    assert re.search(rf"Another demo begins on port {port}|Port {port} \S+ \S+ is in use", said)
