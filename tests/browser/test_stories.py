"""The operators' five stories, a person's and the first run, from start to end, in a real Chromium
against a real server: by mouse and by keyboard alone, at each size, in each theme and language.
"""

from itertools import product

import pytest

from .demo import second_try, speak
from .hand import HANDS
from .stories import STORIES, connected_apps, first_run
from .view import LANGUAGES, SIZES, THEMES, WIDER, every, some

pytestmark = second_try


def runs(is_slow):
    """A story, a hand and a view of each run: all of them, or as few as show each of them once."""
    if is_slow:
        return list(product(STORIES, HANDS, every()))
    return [
        (story, hand, view)
        for number, story in enumerate(STORIES)
        for hand, view in zip(HANDS, some(number), strict=True)
    ]


def pytest_generate_tests(metafunc):
    if "story" in metafunc.fixturenames:
        found = runs(metafunc.config.getoption("--slow"))
        named = [f"{story.__name__}, {hand}, {view}" for story, hand, view in found]
        metafunc.parametrize(("story", "hand", "view"), found, ids=named)


def test_few_runs_show_each_view_to_each_hand():
    few = runs(is_slow=False)
    assert {(story, hand) for story, hand, _view in few} == set(product(STORIES, HANDS))
    for hand in HANDS:
        views = [view for _story, one, view in few if one == hand]
        assert {view.size for view in views} == set(SIZES)
        assert {view.theme for view in views} == set(THEMES)
        assert {view.language for view in views} == set(LANGUAGES)


@pytest.fixture
def look(axe, view, hand, request):
    """What every page of a story is: in the language, as wide as the window, and accessible, which
    few runs ask once for each story.
    """
    is_asked = hand == "keyboard" or request.config.getoption("--slow")

    def look_(page):
        assert page.get_attribute("html", "lang") == view.language
        assert page.evaluate(WIDER) <= 0, page.url
        assert not is_asked or axe(page) == [], page.url

    return look_


@pytest.fixture
def place(story, request):
    """Where a story begins: the demo, or a server with an empty database."""
    return request.getfixturevalue("console" if story is first_run else "demo")


def test_a_story(story, hand, view, place, open_page, look):
    page = open_page(**view.options())
    someone = HANDS[hand](page, look)
    if story is not connected_apps:
        someone.log_in(place.admin, place.user, place.password)
        speak(page, place, view.language)
    story(someone, place)
