"""What a run says of its statements."""

import json

import pytest

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
