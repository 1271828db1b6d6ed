"""What the tests of the server as a process share."""

import pytest

from ..standalone import seed


@pytest.fixture
def once(request):
    """No database is asked for here: one of the two runs is enough."""
    if request.config.getoption("--db") != "sqlite":
        pytest.skip("seen with --db sqlite")


@pytest.fixture
def url(tmp_path):
    """A database of its own, with what `standalone.seed` puts into it."""
    made = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    seed(made, tmp_path)
    return made
