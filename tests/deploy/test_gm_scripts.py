"""gm-backup and gm-manage: which database they go to, and who sees the password."""

import importlib.machinery
import importlib.util
import os
import subprocess

import pytest

from gm_project.database import url

from ..db.test_pooler import OFF, pooled  # noqa: F401 - a fixture
from ..gm_project.test_processes import postgresql  # noqa: F401 - a fixture
from ..standalone import API_TOKEN, PATH, QUERY, ROOT, environment, post, seed, serving

BACKUP, MANAGE = (ROOT / "deploy" / name for name in ("gm-backup", "gm-manage"))


def module():
    loader = importlib.machinery.SourceFileLoader("gm_backup", str(BACKUP))
    made = importlib.util.module_from_spec(importlib.util.spec_from_loader("gm_backup", loader))
    loader.exec_module(made)
    return made


def programs(folder, **scripts):
    """The environment's PATH with programs of ours in front."""
    folder.mkdir(exist_ok=True)
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def backup(folder, **env):
    return subprocess.run(
        [BACKUP, folder], env=environment(**env), capture_output=True, text=True, check=False
    )


def test_a_dump_leaves_nothing_in_the_sessions_of_a_pooler(pooled, postgresql, tmp_path):  # noqa: F811
    """pg_dump empties search_path before its transaction, in a session that a busy server may get
    next: it goes around the pooler.
    """
    through, direct = pooled
    seed(direct, tmp_path)
    (folder := tmp_path / "backups").mkdir()
    path = f"{postgresql.bin_path}:{os.environ['PATH']}"
    with serving(through, **OFF) as port:
        given = {"DATABASE_URL": through, "COMMANDS_DATABASE_URL": direct, "PATH": path}
        done = backup(folder, **given, **OFF)
        answers = {post(port, PATH, API_TOKEN, QUERY)[1]["resultCode"] for _ in range(20)}
    assert (done.returncode, answers) == (0, {"A277001"}), done.stderr
    assert [one.suffix for one in folder.iterdir()] == [".dump"]


def test_a_pooler_alone_is_refused(tmp_path):
    done = backup(tmp_path, DATABASE_URL="postgresql://127.0.0.1:1/x", **OFF)
    assert done.returncode == 1
    assert "COMMANDS_DATABASE_URL" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://gm:p%40ss%25@127.0.0.1:5000/gm?sslmode=disable&prepare_threshold=none",
        "postgresql://gm@127.0.0.1:5000/gm?password=p%40ss%25&sslmode=disable&conn_max_age=0",
    ],
)
def test_the_password_is_on_no_command_line(tmp_path, given):
    """All users see those; the environment only the same user and root."""
    (folder := tmp_path / "backups").mkdir()
    noted = tmp_path / "noted"
    said = f'for one in "$@"; do case $one in --file=*) : > "${{one#--file=}}";; esac; done\nprintf "%s\\n" "$@" "$PGPASSWORD" > {noted}'
    path = programs(tmp_path / "bin", pg_dump=said)
    done = backup(folder, DATABASE_URL=given, PATH=path)
    assert done.returncode == 0, done.stderr
    *arguments, password = noted.read_text().splitlines()
    assert password == "p@ss%"
    assert "--dbname=postgresql://gm@127.0.0.1:5000/gm?sslmode=disable" in arguments
    assert "ss%" not in "".join(arguments)


def test_a_password_file_is_still_used(tmp_path):
    (folder := tmp_path / "backups").mkdir()
    said = 'for one in "$@"; do case $one in --file=*) : > "${one#--file=}";; esac; done\n[ -z "${PGPASSWORD+is there}" ]'
    path = programs(tmp_path / "bin", pg_dump=said)
    given = "postgres://%2Fvar%2Frun%2Fpostgresql/grant-management"
    assert backup(folder, DATABASE_URL=given, PATH=path).returncode == 0


def test_what_only_django_takes_is_left_out():
    assert set(module().OF_DJANGO) == {*url.SETTINGS, *url.OPTIONS}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["DATABASE_URL=a", "DATABASE_TIMEOUTS=off", "COMMANDS_DATABASE_URL=b"], "b "),
        (["DATABASE_URL=a", "DATABASE_TIMEOUTS=off"], "a off"),
        (["DATABASE_URL=a", "COMMANDS_DATABASE_URL="], "a "),
    ],
)
def test_gm_manage_takes_the_url_for_commands(tmp_path, lines, expected):
    """As the script is, but for the file, the folder and the program that gives root up."""
    (tmp_path / "environment").write_text("".join(f"{line}\n" for line in lines))
    text = MANAGE.read_text().replace(
        "/etc/grant-management/environment", f"{tmp_path}/environment"
    )
    (tmp_path / "gm-manage").write_text(text.replace("/opt/grant-management", str(tmp_path)))
    path = programs(tmp_path / "bin", setpriv='echo "$DATABASE_URL ${DATABASE_TIMEOUTS-}"')
    given = environment(PATH=path, DATABASE_URL="of the shell")
    done = subprocess.run(["sh", tmp_path / "gm-manage"], env=given, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{expected}\n"), done.stderr
