"""What a run says of its statements."""

import json
from types import SimpleNamespace

import pytest

from gm_project.launcher.commands import SOME_FAILED
from grant_management.db.bulk_insert import copy_statement
from grant_management.models import placement

from .collecting import FOUND, Collector

judging = pytest.importorskip("tests.statements.judging", exc_type=ImportError)
UNTIED = "SELECT * FROM grant_management_grant WHERE id = %s"
TIED = f"{UNTIED} AND service_id = %s"


@pytest.fixture
def judged(tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "EXCEPTIONS", {("there", "grant"): "A reason."})

    def judge(*statements, is_whole=False):
        path = tmp_path / "statements.jsonl"
        rows = [json.dumps({"place": place, "sql": sql}) for place, sql in statements]
        path.write_text("\n".join(rows))
        return judging.judged(path, is_whole=is_whole)

    return judge


def test_each_place_is_named(judged):
    assert judged(("here", TIED), ("there", UNTIED)) == []
    assert judged(("here", UNTIED), ("here", f"{UNTIED} LIMIT 1"), ("over", UNTIED)) == [
        f"here: grant\n    {UNTIED} LIMIT 1",
        f"over: grant\n    {UNTIED}",
    ]


def test_an_exception_that_a_whole_run_does_not_meet(judged):
    said = ["there: grant is an exception, and was not met"]
    assert judged(("there", TIED), is_whole=True) == said
    assert judged(("there", TIED)) == []
    assert judged(("there", UNTIED), is_whole=True) == []


def test_what_each_node_has_whole_needs_no_service():
    names = judging.tables()
    assert "grant_management_accesstoken" in names
    assert not {f"grant_management_{name}" for name in ("apitoken", "service", "webhook")} & names


def test_what_copy_writes_names_its_service():
    """Whichever table an import fills."""
    found = list(placement.of_service())
    assert len(found) > 10
    texts = [copy_statement(model).as_string() for model in found]
    assert [text for text in texts if judging.untied(text, judging.tables())] == []
    assert judging.untied(texts[0].replace("service_id", "other"), judging.tables())


@pytest.fixture
def collector(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    made = Collector.__new__(Collector)
    made.path, made.ties, made.found, made.said = tmp_path / "statements.jsonl", "some", {}, []
    return made


@pytest.mark.parametrize("tests", [pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED])
@pytest.mark.parametrize(("sql", "is_found"), [(UNTIED, True), (TIED, False)])
def test_what_was_found_outlives_a_test_that_failed(collector, tests, sql, is_found):
    """`run.py test` runs the tests that failed again, and then judges their statements alone."""
    session = SimpleNamespace(exitstatus=tests)
    collector.found = {("here", sql): sql}
    collector.pytest_sessionfinish(session)
    assert bool(collector.said) is is_found
    assert session.exitstatus == (FOUND if is_found else tests)
    assert FOUND not in (0, SOME_FAILED)


@pytest.mark.parametrize(("error", "status"), [("crashed", FOUND), (None, pytest.ExitCode.OK)])
def test_a_worker_that_died_has_told_nothing(collector, error, status):
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    worker = SimpleNamespace(gateway=SimpleNamespace(id="gw1"))
    collector.pytest_testnodedown(worker, error)
    collector.pytest_sessionfinish(session)
    assert session.exitstatus == status
