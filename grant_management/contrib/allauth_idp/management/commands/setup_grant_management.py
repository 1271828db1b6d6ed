"""`setup_grant_management` for allauth."""

from grant_management.contrib.bridge.setup_command import SetUpCommand

from ...rows import SERVER


class Command(SetUpCommand):
    """Makes the service of allauth's tokens."""

    help = "Make the service that the tokens of allauth belong to, unless it exists."
    server = SERVER
