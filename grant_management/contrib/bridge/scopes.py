"""The scopes that an access token needs for `GET` and for `DELETE` of a grant (draft §6)."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SCOPES: Final[dict[str, str | Promise]] = {
    "grant_management_query": _("See what you allowed"),
    "grant_management_revoke": _("Give up what you allowed"),
}
"""What a consent page says in the place of each."""
