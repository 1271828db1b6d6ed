"""The standalone project's settings, with what a host might have in their place."""

import json
import os

from gm_project.settings import *  # noqa: F403 - settings are inherited like this
from gm_project.settings import DATABASES

_changes = json.loads(os.environ["HOST_SETTINGS"])
DATABASES["default"]["OPTIONS"] = DATABASES["default"].get("OPTIONS", {}) | _changes.pop(
    "DATABASE_OPTIONS", {}
)
globals().update(_changes)
