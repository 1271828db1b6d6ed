"""The toolkit's settings for a server with grant management: import them, and add your own."""

from typing import Any, Final

from grant_management.contrib.bridge.scopes import SCOPES

OAUTH2_PROVIDER: Final[dict[str, Any]] = {
    "OAUTH2_VALIDATOR_CLASS": (
        "grant_management.contrib.oauth_toolkit.validator.GrantManagementValidator"
    ),
    "SCOPES": dict(SCOPES),
}
"""The validator class, and the scopes of a token that may query and revoke its grant."""
