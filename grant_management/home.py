"""Where the project lives: the one file of the code that has its addresses.

It has no home yet: nobody can own this host (RFC 2606). The page on releasing says what to replace.
Once released, the host of event types stays what it is, wherever the project moves, since receivers
ask for these types by name.
"""

from typing import Final

HOST: Final = "django-grant-management.example"
REPOSITORY: Final = f"https://{HOST}/repository"
DOCUMENTS: Final = f"{REPOSITORY}/tree/main/docs"
EVENT_TYPES: Final = f"https://{HOST}/secevent/event-type/"
"""What the types of security events of this project's own begin with."""
