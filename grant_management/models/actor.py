"""Who made a change, and why."""

import getpass
import os
from dataclasses import dataclass
from typing import Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

try:
    import pwd
except ImportError:  # not on Windows
    pwd = None  # type: ignore[assignment]


class ActorKind(models.TextChoices):
    """The kinds of actors."""

    CLIENT = "client", _("client")
    OPERATOR = "operator", _("operator")
    API_TOKEN = "api_token", _("API token")
    SUBJECT = "subject", _("subject")
    COMMAND = "command", _("command")
    SYSTEM = "system", _("system")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an operator did it: a reason from a list, a note in words, and a ticket's number."""

    reason: str
    note: str = ""
    ticket: str = ""


NO_REASON: Final = Reason("")
"""For changes that are made without asking for a reason."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who made a change, as text: an event outlives the users of the host's project.

    `id` tells actors of the same name apart: an API token's `tokenId`, an operator's primary key,
    the operating system's user of a command. `sudo_user` is the user who ran a command by sudo.
    """

    kind: ActorKind
    name: str
    id: str = ""
    sudo_user: str = ""

    @classmethod
    def client(cls, client_id: str) -> "Actor":
        """An OAuth client."""
        return cls(ActorKind.CLIENT, client_id)

    @classmethod
    def operator(cls, username: str, key: Any = "") -> "Actor":
        """A user of the admin, and the primary key of that user."""
        return cls(ActorKind.OPERATOR, username, str(key))

    @classmethod
    def api_token(cls, token: Any) -> "Actor":
        """A caller of the API: an `ApiToken`, by its prefix and its `tokenId`."""
        return cls(ActorKind.API_TOKEN, token.prefix or token.digest_prefix, str(token.pk))

    @classmethod
    def subject(cls, subject: str) -> "Actor":
        """The person whose grants they are."""
        return cls(ActorKind.SUBJECT, subject)

    @classmethod
    def command(cls, name: str) -> "Actor":
        """A command, and the operating system's user who runs it."""
        return cls(ActorKind.COMMAND, name, _system_user(), _sudo_user())


def _system_user() -> str:
    """The process's effective user: the name, or the number if there is no name (in containers).

    It comes from the kernel, since an environment variable can be set to any user's name.
    """
    if pwd is None:
        return getpass.getuser()
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _sudo_user() -> str:
    """The user who called sudo; only a hint, since the caller of a command can set the variable.

    Bytes that are not text are replaced.
    """
    return os.environ.get("SUDO_USER", "").encode(errors="replace").decode()[:255]
