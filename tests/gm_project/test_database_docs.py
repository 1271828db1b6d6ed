"""docs/reference/database.md says what the code does."""

import re

import pytest

from gm_project.database import url as database_url
from gm_project.database.timeouts import COMMANDS, PAGES, REQUESTS
from grant_management.db import write_slots
from grant_management.db.postgresql import breaker

from ..docs_pages.page import blocks
from ..standalone import ROOT

DOCUMENT = (ROOT / "docs" / "reference" / "database.md").read_text()


def rows(head):
    table = DOCUMENT.partition(f"| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def test_keys():
    """Each key of ours is in the table; libpq's are taken together."""
    first, *others = [key for key, _ in rows("key | what it sets")]
    assert all(f"`{name}`" in first for name in database_url.NOT_TAKEN)
    ours = (*database_url.SETTINGS, *database_url.OPTIONS, *database_url.OF_SQLITE)
    assert [key.strip("`") for key in others] == list(ours)


def test_timeouts():
    """In the units of the table."""
    found = {
        row[0].split(",")[0]: row[1:3] for row in rows("timeout | requests | commands | set by")
    }

    def shown(read):
        return [f"{read(one):g} s" if read(one) else "none" for one in (REQUESTS, COMMANDS)]

    assert found == {
        "connect": shown(lambda one: one.connect),
        "sent": shown(lambda one: one.unacknowledged / 1_000),
        "no packet from the server": ["8 s", "8 s"],
        "an answer": shown(lambda one: one.answer),
        "a statement": shown(lambda one: one.statement / 1_000),
        "a lock": shown(lambda one: one.lock / 1_000),
        "idle in a transaction": shown(lambda one: one.idle_in_transaction / 1_000),
    }
    client = REQUESTS.of_client()
    silence = client["keepalives_idle"] + client["keepalives_interval"] * client["keepalives_count"]
    assert silence == 8
    named = {
        name
        for row in rows("timeout | requests | commands | set by")
        for name in re.findall("`(\\w+)`", row[3])
    }
    assert named >= set(client) | set(re.findall(r"-c (\w+)", REQUESTS.of_server()))


@pytest.mark.parametrize(
    "words",
    [
        f"page of the admin may take {PAGES} s",
        f"no other for {breaker.FIRST:g} s, then {2 * breaker.FIRST:g} s, up to {breaker.LONGEST:g} s",
        f"waits {write_slots.PATIENCE:g} s for one of them",
        f"within {REQUESTS.answer + REQUESTS.connect} s ({REQUESTS.answer} s for the answer, {REQUESTS.connect} s",
        f'"options": "{REQUESTS.of_server()}"',
    ],
)
def test_numbers(words):
    assert words in " ".join(DOCUMENT.split())


def test_a_role_gets_the_same_timeouts():
    (block,) = [one for one in blocks("reference/database.md") if "ALTER ROLE" in one.text]
    assert dict(re.findall(r"SET (\w+) = '(\d+)s'", block.text)) == {
        "statement_timeout": str(REQUESTS.statement // 1_000),
        "lock_timeout": str(REQUESTS.lock // 1_000),
        "idle_in_transaction_session_timeout": str(REQUESTS.idle_in_transaction // 1_000),
    }
