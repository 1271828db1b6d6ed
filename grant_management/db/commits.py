"""The errors of commits that no standby acknowledges, where the database has synchronous ones."""

from django.db import OperationalError


class OutcomeUnknown(OperationalError):
    """The connection ended while a commit waited: it may have been done, or be done later."""


class NoStandby(OperationalError):
    """Nothing was written: earlier commits still wait for a standby, so this one would too."""
