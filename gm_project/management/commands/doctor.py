"""`doctor`, which knows how many workers `run.py serve` starts."""

from django.conf import settings
from django.core.management.base import CommandParser

from gm_project.serving.server import default_workers
from grant_management.management.commands import doctor


class Command(doctor.Command):
    """The app's command, with the numbers of this project's server on this machine."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the same arguments with other defaults."""
        super().add_arguments(parser)
        parser.set_defaults(workers=default_workers(), threads=settings.CALLS_AT_ONCE)
