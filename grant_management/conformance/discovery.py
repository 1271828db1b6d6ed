"""The server's metadata (RFC 8414)."""

from typing import Any
from urllib.parse import urlsplit

from .config import Config
from .fields import is_json
from .http import send
from .verdict import Failure, Skip

WELL_KNOWN = "/.well-known/oauth-authorization-server"

REPAIR = (
    "Serve the metadata as application/json (RFC 8414), or correct its URL in the config, or give"
    " grant_management_endpoint there."
)


def read_metadata(config: Config) -> dict[str, Any]:
    """The members of the metadata. Skip: the config does not say where they are.

    Failure: the response is not 200, application/json and a JSON object (RFC 8414 §3.2).
    """
    url = metadata_url(config)
    if not url:
        raise Skip("no issuer and no metadata_url in the config")
    response = send("GET", url, timeout=config.timeout)
    if response.status != 200:
        raise Failure(f"the metadata: expected HTTP 200, got {response.status}", REPAIR)
    if not is_json(response):
        raise Failure("the metadata is not application/json", REPAIR)
    return response.members()


def metadata_url(config: Config) -> str:
    """The URL of the metadata; "" where the config has neither metadata_url nor issuer."""
    return config.metadata_url or _well_known(config.issuer)


def _well_known(issuer: str) -> str:
    """The well-known path stands before the path of the issuer, not behind it (RFC 8414 §3.1)."""
    if not issuer:
        return ""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"
