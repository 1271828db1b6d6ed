"""The toolkit's settings for a server with grant management: import them, and add your own."""

from typing import Any, Final

OAUTH2_PROVIDER: Final[dict[str, Any]] = {
    "OAUTH2_VALIDATOR_CLASS": (
        "grant_management.contrib.oauth_toolkit.validator.GrantManagementValidator"
    ),
    "SCOPES": {
        "grant_management_query": "See what you allowed",
        "grant_management_revoke": "Give up what you allowed",
    },
}
"""The validator class, and the scopes of a token that may query and revoke its grant."""
