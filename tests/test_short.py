"""The short form of the suite leaves out what there is, and of each database's part one half."""

import pytest

from .short import LONG, ON_POSTGRESQL, ON_SQLITE, ONCE, ROOT


@pytest.mark.parametrize("name", sorted({*LONG, *ONCE, *ON_SQLITE, *ON_POSTGRESQL}))
def test_what_is_left_out_exists(name):
    path, _, test = name.partition("::")
    assert (ROOT / path).exists()
    assert test.partition("[")[0] in (ROOT / path).read_text() if test else True


def test_nothing_is_left_out_on_both_databases():
    assert not {*ONCE, *ON_SQLITE} & {*ON_POSTGRESQL}
