"""`setup_grant_management` for django-oauth-toolkit."""

from grant_management.contrib.bridge.setup_command import SetUpCommand

from ...bridge import SERVER


class Command(SetUpCommand):
    """Makes the service of the toolkit's tokens."""

    help = "Make the service that the tokens of django-oauth-toolkit belong to, unless it exists."
    server = SERVER
