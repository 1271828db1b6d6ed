"""A browser that hangs fails one test, and is tried once more."""

import pytest

from .demo import second_try

tries = []


@pytest.fixture
def patience():
    return 30 if tries else 2


@second_try
def test_what_waits_for_ever_ends(browser):
    tries.append("one more")
    browser.new_page().evaluate("new Promise(() => {})" if len(tries) == 1 else "1")
    assert len(tries) == 2
