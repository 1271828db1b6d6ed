"""One type of number (RFC 8259 §6), whatever its spelling; times are exact to the microsecond."""

import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grant_management.protocol import numbers, strict_json, times
from grant_management.protocol.times import Unit

SPELLED = st.from_regex(
    r"-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
ONE = ["1", "1.0", "1.00", "10e-1", "0.1E1", "0.1e+1", "100E-2", "1e0", "1E-0", "1.0e+00"]


@given(SPELLED)
def test_the_normal_form_is_the_number(text):
    form, exact = numbers.parse(text), Decimal(text)
    rebuilt = Decimal(int(form.digits or "0")).scaleb(int(form.exponent))
    assert (-rebuilt if form.is_negative else rebuilt) == exact
    assert not form.digits.startswith("0")
    assert not form.digits.endswith("0")


@given(SPELLED, st.sampled_from([0, 3, 6]))
def test_scaled_without_rounding(text, places):
    exact = Decimal(text).scaleb(places)
    if abs(exact) >= 10**20:
        with pytest.raises(ValueError, match="digits"):
            numbers.scaled(text, places)
    else:
        assert numbers.scaled(text, places) == (int(exact), exact == int(exact))


@given(SPELLED, SPELLED)
def test_equal_numbers_have_one_canonical_text(one, other):
    same = numbers.parse(one).canonical() == numbers.parse(other).canonical()
    assert same == (Decimal(one) == Decimal(other))


def test_the_spellings_of_one():
    assert {numbers.parse(text).canonical() for text in ONE} == {"1e0"}
    assert {numbers.parse(text).canonical() for text in ("0", "-0", "0.00", "0e7")} == {"0"}


def test_a_number_that_was_stored_before_there_were_limits_can_be_compared():
    huge = "9" * 5_000
    one, same, other = f"10e{huge}", f"1.0E{huge}", f"1e{huge}"
    assert numbers.parse(other).canonical() == numbers.parse(same).canonical()
    assert numbers.parse(one).canonical() != numbers.parse(other).canonical()
    assert numbers.parse(huge).canonical() == f"{huge}e0"
    for text in (one, huge):
        assert strict_json.dumps(strict_json.stored(f"[{text}]")) == f"[{text}]"


REAL = [
    repr(sys.float_info.max),
    repr(sys.float_info.min * sys.float_info.epsilon),
    # The exact value of the smallest binary64: no number that means something is longer.
    format(Decimal.from_float(-5e-324), "f"),
    format(Decimal.from_float(sys.float_info.max), "f"),
    "9.999999999999999999999999999999999E+6144",
    "1E-6176",
    str(2**4096 // 10**170),
]


@pytest.mark.parametrize("text", REAL, ids=range(len(REAL)))
@pytest.mark.parametrize("keep_numbers", [True, False])
def test_every_real_number_is_read(text, keep_numbers):
    value = strict_json.loads(f"[{text}]", keep_numbers=keep_numbers)
    assert not keep_numbers or strict_json.dumps(value) == f"[{text}]"


ABSURD = {
    "1e9999999999999999999": "exponent",
    "1e10000": "exponent",
    "1E-10000": "exponent",
    f"1e{'9' * 999}": "exponent",
    f"1e{'9' * 5_000}": "characters",
    "1" * 1_101: "characters",
    f"0.{'0' * 1_100}1": "characters",
    "9" * 5_000: "characters",
}


@pytest.mark.parametrize(("text", "why"), ABSURD.items(), ids=range(len(ABSURD)))
@pytest.mark.parametrize("keep_numbers", [True, False])
def test_a_number_beyond_all_reason_is_refused(text, why, keep_numbers):
    with pytest.raises(ValueError, match=why):
        strict_json.loads(f'{{"n":[{text}]}}', keep_numbers=keep_numbers)


@pytest.mark.parametrize(
    "raw",
    [b"\xff", b"{", b"[1]x", b'{"a":1,"a":2}', b"NaN", b"[" * 100_000, b'"\\ud800"', b'"\\u0000"'],
)
def test_what_is_refused_says_why_and_quotes_nothing(raw):
    with pytest.raises(ValueError, match=r"it is|a member|a string|NaN") as refused:
        strict_json.loads(raw)
    assert type(refused.value) is ValueError


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([1.0, 0.5, 100.0])
    | st.text("a1")
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner),
    max_leaves=6,
)


def kept(value, **options):
    return strict_json.loads(json.dumps(value, **options), keep_numbers=True)


def shape(value):
    """What Python compares as JSON does: true is not 1."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return isinstance(value, bool), value


@given(VALUES, VALUES)
def test_canonical_texts_are_equal_where_the_values_are(one, other):
    same = strict_json.canonical(kept(one)) == strict_json.canonical(kept(other))
    assert same == (shape(one) == shape(other))
    assert strict_json.canonical(kept(one)) == strict_json.canonical(kept(one, sort_keys=True))


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)))
def test_a_moment_there_and_back(naive):
    at = naive.replace(tzinfo=UTC)
    assert times.read(times.exact_seconds(at), Unit.SECONDS) == at
    milliseconds = times.to_milliseconds(at)
    assert (
        timedelta(0)
        <= at - times.read(str(milliseconds), Unit.MILLISECONDS)
        < timedelta(milliseconds=1)
    )
    assert times.to_seconds(at) == milliseconds // 1_000


@pytest.mark.parametrize("text", ["1900000000000", "1.9E12", "1.9e12", "19e11", "1900000000000.0"])
def test_a_moment_in_any_spelling(text):
    at = datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)
    assert times.read(text, Unit.MILLISECONDS) == at
    assert times.read("1900000000", Unit.SECONDS) == at


def test_the_last_moment():
    last = datetime.max.replace(tzinfo=UTC)
    assert times.read("253402300799.999999", Unit.SECONDS) == last
    assert times.to_seconds(last) == 253_402_300_799
    for text in ("253402300800", "-1", "-0.000001", "1e300", "1e9999"):
        with pytest.raises(ValueError, match=r"1970|digits"):
            times.read(text, Unit.SECONDS)
