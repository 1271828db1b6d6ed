"""A token's status, as an icon and a word."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ...db import clock
from ...models.token import Token, TokenStatus
from .display import state

_WORDS: Final = {
    TokenStatus.EXPIRED: _("Expired"),
    TokenStatus.REVOKED: _("Revoked"),
    TokenStatus.GRANT_DEAD: _("Grant not active"),
    TokenStatus.SUPERSEDED: _("Superseded"),
    TokenStatus.CLIENT_LOCKED: pgettext_lazy("status of a token", "Client locked"),
    TokenStatus.ACTIVE: _("Active"),
}


def token_state(token: Token) -> Any:
    """The status now; the token is shown together with its grant and client."""
    status = token.status(clock.estimate())
    return state(status.name.lower(), _WORDS[status])
