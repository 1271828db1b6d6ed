"""The lines of an import: as editors and other systems write them, and none without a bound."""

import io
import json
import tracemalloc

import pytest
from django.core.management import CommandError, call_command

from grant_management.interchange import importer
from grant_management.interchange.end_record import End
from grant_management.interchange.importer import batches
from grant_management.interchange.lines import lines
from grant_management.models import Client, GrantEvent, Organization

NAMED = {"type": "organization", "id": 1, "name": "Example Bank"}
LINE = json.dumps(NAMED).encode()


def read(data, longest=1_000):
    return [(line.number, line.text) for line in lines(io.BytesIO(data), longest)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\nb\n", [(1, b"a"), (2, b"b")]),
        (b"a\r\nb", [(1, b"a"), (2, b"b")]),
        (b"\n  \r\n\ta \n\n", [(3, b"a")]),
        (b"\xef\xbb\xbfa\nb", [(1, b"a"), (2, b"b")]),
        (b"\xef\xbb\xbf\n\xef\xbb\xbfa", [(2, b"\xef\xbb\xbfa")]),
        (b"", []),
        (b"\x0ba\x0c", [(1, b"\x0ba\x0c")]),
    ],
)
def test_lines(data, expected):
    assert read(data) == expected


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_to_the_byte(end):
    assert read(b"x" * 10 + end, 10) == [(1, b"x" * 10)]
    found = list(lines(io.BytesIO(b"x" * 11 + end + (b"y" if end else b"")), 10))
    assert (found[0].is_whole, found[0].text, found[0].number) == (False, b"", 1)
    assert [line.text for line in found[1:]] == ([b"y"] if end else [])


class Counting(io.BytesIO):
    """How much was in memory at once."""

    most = 0

    def readline(self, size=-1):
        got = super().readline(size)
        self.most = max(self.most, len(got))
        return got


def test_a_line_without_end_is_not_held():
    stream = Counting(b"x" * 30_000_000 + b"\nlast\n")
    tracemalloc.start()
    found = list(lines(stream, 1_000_000))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(line.number, line.is_whole, line.size) for line in found] == [
        (1, False, 30_000_001),
        (2, True, 5),
    ]
    assert stream.most <= 1_000_002
    assert peak < 4_000_000


def test_a_batch_is_full_by_bytes_too(monkeypatch):
    monkeypatch.setattr(importer, "BATCH_BYTES", 3 * len(LINE))
    sizes = [
        len(batch.records["organization"])
        for batch in batches(io.BytesIO((LINE + b"\n") * 10), 1_000, End())
    ]
    assert sizes == [3, 3, 3, 1]


@pytest.fixture
def take(db, tmp_path):
    def run(data, **options):
        path = tmp_path / "records.jsonl"
        path.write_bytes(data)
        errors = io.StringIO()
        try:
            call_command("import_grants", str(path), stdout=io.StringIO(), stderr=errors, **options)
        except CommandError as error:
            errors.write(str(error))
        return errors.getvalue()

    return run


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_as_other_systems_write_files(take, before, end):
    records = before + LINE + end + LINE.replace(b"1", b"2") + end
    assert take(records + b'{"type":"end","records":2}' + end) == ""
    assert Organization.objects.count() == 2


def test_a_byte_order_mark_elsewhere_is_named(take):
    said = take(LINE + b"\n\xef\xbb\xbf" + LINE)
    assert ":2: not a line of strict JSON" in said


def test_a_line_that_is_too_long_is_named(take, settings):
    settings.GRANT_MANAGEMENT = {"MAX_IMPORT_LINE": 500}
    long = json.dumps(NAMED | {"id": 2, "name": "x" * 600}).encode()
    said = take(LINE + b"\n" + long + b"\n" + LINE.replace(b"1", b"3"), on_error="skip")
    assert ":2: the line is longer than 500 bytes" in said
    assert "xxx" not in said
    assert set(Organization.objects.values_list("pk", flat=True)) == {1, 3}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"type":"organization","id":1e99999,"name":"x"}', "exponent"),
        (b'{"type":"organization","id":1,"name":"\xff"}', "it is not UTF-8"),
        (b'{"type":"organization","id":1,"id":1,"name":"x"}', "a member appears twice"),
        (b'{"type":"organization","id":1,"name":"\\ud800"}', "a lone surrogate"),
        (b"[" * 65 + b"]" * 65, "it is nested too deeply"),
        (b"{}{}", "more than one"),
    ],
)
def test_why_a_line_is_no_strict_json(take, line, why):
    said = take(line)
    assert ":1: not a line of strict JSON: " in said
    assert why in said


def test_a_file_whose_name_is_no_text(world, tmp_path):
    """The event of the import names it as far as that can be stored."""
    path = tmp_path / "records-\udcff.jsonl"
    client = {"type": "client", "service": world.service.pk, "client_id": "new"}
    path.write_text(json.dumps(client))
    call_command("import_grants", str(path), stdout=io.StringIO())
    assert Client.objects.filter(client_id="new").exists()
    assert GrantEvent.objects.get().details == {"source": "records-?.jsonl"}
