"""What no test runs is in this list, with the reason, and its page says so in words."""

import re
from collections import Counter

import pytest

from ..standalone import ROOT
from .languages import RUN
from .pages import PAGES, blocks, short, stages
from .test_blocks import has_a_test_of_its_own

NOT_RUN = {
    "README.md": {"takes long": 1},
    "docs/explanation/performance.md": {"takes long": 2},
    "docs/explanation/reliability.md": {"takes long": 2},
    "docs/how-to/authlete-other-languages.md": {
        "needs Java": 2,
        "needs Go": 1,
        "needs Ruby": 1,
    },
    "docs/how-to/cluster.md": {"takes long": 1},
    "docs/how-to/emulator-in-ci.md": {"needs GitHub": 1, "needs GitLab": 1},
    "docs/how-to/moving-in.md": {"needs Keycloak": 1, "needs Hydra": 1},
    "docs/how-to/operations.md": {"needs a public name": 1, "needs containers": 1},
    "docs/how-to/sharding.md": {"needs Citus": 4},
}
"""Blocks of each page, by the reason why they are not run."""
MACHINES = {"docs/how-to/cluster.md": "needs three machines"}
"""Pages that begin on an empty Debian and that no test here follows; `tests/cluster/test_machines.py`
does, with `--slow`, as root.
"""
WORDS = re.compile(r"page's test (leaves|has)|not run here|None of this was run here")


def test_the_list_is_whole():
    found = {}
    for page in PAGES:
        reasons = [block.about("not run") for block in blocks(page)]
        if counted := Counter(one for one in reasons if one not in (None, "an example")):
            found[short(page)] = dict(counted)
    assert found == NOT_RUN


@pytest.mark.parametrize("page", sorted(NOT_RUN.keys() | MACHINES))
def test_the_page_says_so(page):
    assert WORDS.search((ROOT / page).read_text().replace("\n", " "))


def test_what_begins_on_an_empty_machine_has_a_test_of_its_own():
    """`test_run.py` follows every other starting state."""
    begun = {
        short(page)
        for page in PAGES
        for stage in stages(page)
        if stage.start == "an empty Debian" and any(one.language in RUN for one in stage.blocks)
        if not has_a_test_of_its_own(page)
    }
    assert begun == MACHINES.keys()
