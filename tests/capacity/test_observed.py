"""The section of performance.md that `run.py bench observed --write` writes."""

from benchmarks.observed import document
from benchmarks.observed.requests import KINDS
from benchmarks.observed.variants import ALL_OFF, VARIANTS

STEPS = dict.fromkeys(document.STEPS)
RUN = {
    "calls": {
        one.name: {kind: {"us": 100.0, "ratio": 1 if one is ALL_OFF else 1.5} for kind in KINDS}
        for one in VARIANTS
    },
    "behind": {
        "a webhook": {step: {"us": 10.0, "rate": 7.0} for step in STEPS},
        document.ALL: {step: {"us": 20.0, "rate": 5.0} for step in STEPS},
    },
    "load": 1.25,
    "rounds": 11,
    "each": 12,
}
RUNS = dict.fromkeys(document.DATABASES, RUN)


def test_a_row_has_both_databases():
    section = document.rendered(RUNS)
    assert "| all off | 100 µs / 100 µs |" in section
    assert "| a webhook | 1.50 / 1.50 |" in section
    assert "| 10 µs, 7 a second | 10 µs, 7 a second | 20 µs, 5 a second |" in section
    assert "11 rounds of 12 calls" in section
    assert "1.2 / 1.2 processes" in section


def test_it_takes_the_place_of_the_last_one():
    text = document.DOCUMENT.read_text()
    made = document.OLD.sub(lambda _found: document.rendered(RUNS), text)
    (old,), (new,) = document.OLD.findall(text), document.OLD.findall(made)
    assert made.replace(new, "") == text.replace(old, "")
    assert all(f"| {one.name} |" in new for one in VARIANTS)
