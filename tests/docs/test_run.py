"""Every page, followed as it is written: its commands, files and snippets, with the wheel."""

import pytest

from .languages import allowed_not_to_run
from .pages import PAGES, short, stages

STAGES = [
    stage
    for page in PAGES
    for stage in stages(page)
    if stage.start not in ("", "an empty Debian")
    and any(not allowed_not_to_run(block) for block in stage.blocks)
]


@pytest.mark.parametrize("stage", STAGES, ids=short)
def test_page_can_be_followed(stage, place, request):
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("seen with --db sqlite")
    here = place(stage)
    followed = [block for block in stage.blocks if not allowed_not_to_run(block)]
    for block in followed:
        here.follow(block)
    if stage.start == "a new Django project" and followed[-1].about("append") is not None:
        here.start_project()
    for path in stage.paths if here.serves else ():
        assert here.reach(path) != 404, path
