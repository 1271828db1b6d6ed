"""An export is whole, or it says that it is not: the last record, the file's name, one moment."""

import io
import json
import os
import signal
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from grant_management.interchange import exporter
from grant_management.management.commands import export_grants
from grant_management.models import Client, Grant

from ..db.test_pooler import OFF, pooled  # noqa: F401 - a fixture
from ..gm_project.test_processes import database_url, postgresql  # noqa: F401 - fixtures
from ..standalone import RECORDS, ROOT, environment, manage, seed

END = {"type": "end", "records": len(RECORDS)}


def text_of(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def take(db, tmp_path):
    """Import this text; whether it failed, and what was said to standard error."""

    def run(text, **options):
        path = tmp_path / "records.jsonl"
        path.write_text(text)
        errors = io.StringIO()
        try:
            call_command("import_grants", str(path), stdout=io.StringIO(), stderr=errors, **options)
        except CommandError as error:
            return True, errors.getvalue().replace(str(path), "FILE") + str(error)
        return False, errors.getvalue().replace(str(path), "FILE")

    return run


class TestTheLastRecord:
    def test_of_an_export(self, world):
        for number in range(3):
            world.grant(grant_id=f"g-{number}")
        out = io.StringIO()
        call_command("export_grants", stdout=out, stderr=io.StringIO())
        *records, end = map(json.loads, out.getvalue().splitlines())
        assert end == {"type": "end", "records": len(records)}
        assert len(records) == 7
        assert "end" not in {record["type"] for record in records}

    def test_is_taken(self, take):
        assert take(text_of(*RECORDS, END)) == (False, "")
        assert Grant.objects.count() == 1

    def test_blank_lines_do_not_count(self, take):
        text = "\n".join(json.dumps(record) + "\n" for record in [*RECORDS, END]) + "\n \n"
        assert take(text) == (False, "")

    def test_absent(self, take):
        """Records that somebody made by hand are taken; nobody knows whether they are all."""
        failed, said = take(text_of(*RECORDS))
        assert (failed, said.count("\n")) == (False, 1)
        assert said.startswith("FILE: no end record")
        assert Grant.objects.count() == 1

    @pytest.mark.parametrize("batch_size", [1, 2, 10_000])
    def test_of_a_file_with_a_hole(self, take, batch_size):
        """Also where the records are read in batches; what is there is imported."""
        failed, said = take(text_of(*RECORDS[:-1], END), batch_size=batch_size)
        assert failed
        assert f"FILE:{len(RECORDS)}: the end record does not say 6" in said
        assert Client.objects.count() == 1

    @pytest.mark.parametrize("batch_size", [1, 10_000])
    def test_nothing_stands_behind_it(self, take, batch_size):
        late = {"type": "client", "service": 1001, "client_id": "late"}
        failed, said = take(text_of(*RECORDS, END, late, late), batch_size=batch_size)
        assert failed
        assert said.count("comes after the end record") == 1
        assert f"FILE:{len(RECORDS) + 2}:" in said
        assert not Client.objects.filter(client_id="late").exists()

    @pytest.mark.parametrize(
        "end",
        [
            {"type": "end"},
            {"type": "end", "records": "7"},
            {"type": "end", "records": True},
            {"type": "end", "records": 7.5},
            {"type": "end", "records": None},
            {"type": "end", "records": [7]},
            END | {"more": 1},
        ],
        ids=str,
    )
    def test_malformed(self, take, end):
        failed, said = take(text_of(*RECORDS, end))
        assert failed
        assert "the end record does not say 7" in said

    def test_one_number_in_another_spelling(self, take):
        assert take(text_of(*RECORDS) + '{"records":7.0E0,"type":"end"}\n') == (False, "")

    def test_what_only_looks_like_it(self, take):
        """A record with the word in a value is a record."""
        client = {"type": "client", "service": 1001, "client_id": "end"}
        assert take(text_of(*RECORDS, client, END | {"records": 8})) == (False, "")
        failed, said = take(text_of(*RECORDS) + '{"type":"end"\n')
        assert failed
        assert "strict JSON" in said

    def test_bad_records_count(self, take):
        """It says how many lines stand before it, whatever becomes of them."""
        text = text_of(*RECORDS) + "{\n" + text_of(END | {"records": 8})
        failed, said = take(text, on_error="skip")
        assert failed
        assert "strict JSON" in said
        assert "end record" not in said

    def test_after_an_import_that_broke_off(self, take):
        """The same file again is whole, whatever was imported of it before."""
        failed, _ = take(text_of(*RECORDS[:5]) + "{\n" + text_of(*RECORDS[5:], END), batch_size=2)
        assert failed
        assert take(text_of(*RECORDS, END)) == (False, "")


class TestTheFile:
    def export(self, path):
        call_command("export_grants", output=str(path), stderr=io.StringIO())

    def test_takes_the_place_of_another(self, world, tmp_path):
        path = tmp_path / "export.jsonl"
        path.write_text("old")
        path.chmod(0o644)
        self.export(path)
        assert json.loads(path.read_text().splitlines()[-1])["type"] == "end"
        assert path.stat().st_mode & 0o777 == 0o600
        assert os.listdir(tmp_path) == ["export.jsonl"]

    def test_behind_a_link(self, world, tmp_path):
        (tmp_path / "link").symlink_to(tmp_path / "real")
        self.export(tmp_path / "link")
        assert (tmp_path / "link").is_symlink()
        assert "end" in (tmp_path / "real").read_text()

    def test_fails_midway(self, world, tmp_path, monkeypatch):
        """What was there before stays, and nothing else is left."""

        def broken(service):
            yield "{}"
            raise KeyboardInterrupt

        path = tmp_path / "export.jsonl"
        path.write_text("old")
        monkeypatch.setattr(export_grants, "records", broken)
        with pytest.raises(KeyboardInterrupt):
            self.export(path)
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["export.jsonl"]

    def test_killed_midway(self, database_url, tmp_path):  # noqa: F811 - a fixture
        """By a signal that nobody can catch: no file has the good name."""
        seed(database_url, tmp_path)
        program = (
            "import os, signal, sys, django; django.setup()\n"
            "from django.core.management import call_command\n"
            "from grant_management.management.commands import export_grants\n"
            "whole = export_grants.records\n"
            "def dies(service):\n"
            "    for number, record in enumerate(whole(service)):\n"
            "        if number == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
            "        yield record\n"
            "export_grants.records = dies\n"
            "call_command('export_grants', output=sys.argv[1])\n"
        )
        path = tmp_path / "export.jsonl"
        env = environment(DATABASE_URL=database_url, DJANGO_SETTINGS_MODULE="gm_project.settings")
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], cwd=ROOT, env=env, check=False
        )
        assert done.returncode == -signal.SIGKILL
        assert not path.exists()

    def test_a_pipe_is_written_to(self, world, tmp_path):
        """Nothing can take its place, and it is no file that somebody would find later."""
        path = tmp_path / "pipe"
        os.mkfifo(path)
        reader = subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE)
        self.export(path)
        said, _ = reader.communicate(timeout=30)
        assert json.loads(said.splitlines()[-1])["type"] == "end"

    def test_where_none_can_be_made(self, world, tmp_path):
        with pytest.raises(CommandError, match="No such file"):
            self.export(tmp_path / "nowhere" / "export.jsonl")


def grants(number):
    client = {"service": 1001, "client_id": "app-1"}
    return [{"type": "grant", "grant_id": f"many-{one}", **client} for one in range(number)]


def test_one_moment(database_url, tmp_path):  # noqa: F811 - a fixture
    """What is written while it is read is not in it: neither half of it, nor the rest."""
    seed(database_url, tmp_path)
    late = tmp_path / "late.jsonl"
    late.write_text(text_of(*grants(5)))
    program = (
        "import subprocess, sys, django; django.setup()\n"
        "from django.core.management import call_command\n"
        "from grant_management.management.commands import export_grants\n"
        "whole = export_grants.records\n"
        "def meanwhile(service):\n"
        "    for number, record in enumerate(whole(service)):\n"
        "        if number == 1:\n"
        "            line = [sys.executable, 'manage.py', 'import_grants', sys.argv[1]]\n"
        "            subprocess.run(line, check=True, stdout=subprocess.DEVNULL)\n"
        "        yield record\n"
        "export_grants.records = meanwhile\n"
        "call_command('export_grants')\n"
    )
    env = environment(DATABASE_URL=database_url, DJANGO_SETTINGS_MODULE="gm_project.settings")
    line = [sys.executable, "-c", program, str(late)]
    done = subprocess.run(line, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    assert "many-" not in done.stdout
    assert json.loads(done.stdout.splitlines()[-1]) == END
    again = manage("export_grants", DATABASE_URL=database_url)
    assert again.count("many-") == 5


def test_through_a_pooler(pooled, tmp_path):  # noqa: F811 - a fixture
    """More rows than a cursor fetches at once, by sessions that others use in between."""
    through, direct = pooled
    number = 2 * exporter.CHUNK + 500
    path = tmp_path / "many.jsonl"
    path.write_text(text_of(*RECORDS, *grants(number)))
    manage("migrate", "-v", "0", DATABASE_URL=direct)
    manage("import_grants", path, DATABASE_URL=through, **OFF)
    for _ in range(3):
        lines = manage("export_grants", DATABASE_URL=through, **OFF).splitlines()
        assert json.loads(lines[-1]) == {"type": "end", "records": len(RECORDS) + number}
        assert len({line for line in lines if "many-" in line}) == number
