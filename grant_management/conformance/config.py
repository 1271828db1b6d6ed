"""What to test, and how to get grants and tokens there."""

import json
import subprocess
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .http import Response, send

WELL_KNOWN = "/.well-known/oauth-authorization-server"


class ConfigError(Exception):
    """The config cannot be used. The message says what to mend."""


@dataclass
class Config:
    """A server, and what is needed to call it. "" and [] are: not given, its checks are skipped.

    `authorize` is a program that stands in for the client and its user: it gets the parameters of
    an authorization request as a JSON object on standard input, and prints the token response as
    JSON, or the error (`{"error": …}`) that came back to the client.
    """

    issuer: str = ""
    metadata_url: str = ""
    grant_management_endpoint: str = ""
    token_endpoint: str = ""
    client_id: str = ""
    client_secret: str = ""
    authorize: list[str] = field(default_factory=list)
    scope: str = "grant_management_query grant_management_revoke"
    more_scope: str = ""
    grant_id: str = ""
    access_token: str = ""
    refresh_token: str = ""
    outliving_access_token: str = ""
    weak_access_token: str = ""
    other_grant_id: str = ""
    timeout: float = 20

    @classmethod
    def load(cls, path: Path) -> "Config":
        """From a TOML file. ConfigError: a member is unknown or has the wrong type."""
        try:
            members = tomllib.loads(path.read_text())
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path}: {error}") from None
        known = {one.name: one.type for one in fields(cls)}
        for name, value in members.items():
            if name not in known:
                raise ConfigError(f"{path}: unknown member {name!r}; known: {', '.join(known)}")
            if not isinstance(value, list if name == "authorize" else str | float | int):
                raise ConfigError(f"{path}: {name!r} has the wrong type")
        return cls(**members)

    def metadata(self) -> dict[str, Any]:
        """The server's metadata (RFC 8414), or nothing where the config names none."""
        url = self.metadata_url or _well_known(self.issuer)
        if not url:
            return {}
        value: dict[str, Any] = send("GET", url, timeout=self.timeout).json()
        return value

    def run_authorize(self, **parameters: str) -> dict[str, Any]:
        """What one authorization request came to."""
        given = json.dumps({name: value for name, value in parameters.items() if value})
        done = subprocess.run(  # noqa: S603 - the operator's own program
            self.authorize, input=given, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode:
            raise ConfigError(f"'authorize' failed: {done.stderr.strip()[-500:]}")
        value: dict[str, Any] = json.loads(done.stdout)
        return value

    def refresh(self, refresh_token: str) -> Response:
        """A refresh request of the client."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        basic = (self.client_id, self.client_secret)
        return send("POST", self.token_endpoint, form=form, basic=basic, timeout=self.timeout)


def _well_known(issuer: str) -> str:
    """Where the metadata of an issuer is (RFC 8414 §3.1): before its path, not behind it."""
    if not issuer:
        return ""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"
