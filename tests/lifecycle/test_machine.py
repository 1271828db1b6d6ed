"""The machine, for a while; for longer with `--lifecycle N`."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from .doors import CERTIFICATES, Doors, wipe
from .machine import GrantLife

STEPS = 40


def test_every_door_agrees(transactional_db, settings_of_app, tmp_path, request):
    GrantLife.door, GrantLife.folder = Doors(), tmp_path
    often = settings(
        max_examples=request.config.getoption("--lifecycle"),
        stateful_step_count=STEPS,
        suppress_health_check=list(HealthCheck),
        deadline=None,
        phases=[Phase.generate],
    )
    try:
        run_state_machine_as_test(GrantLife, settings=often)
    finally:
        wipe()


@pytest.fixture
def settings_of_app(settings):
    settings.GRANT_MANAGEMENT = CERTIFICATES
