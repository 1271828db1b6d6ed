"""Settings for `make messages`: where the texts of all templates go."""

from gm_project.settings import *  # noqa: F403
from gm_project.settings import BASE_DIR

LOCALE_PATHS = [BASE_DIR / "grant_management" / "locale"]
