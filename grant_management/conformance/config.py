"""The config of a run: the server to test, and how to get grants and tokens from it."""

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

_KINDS = {str: "a string", float: "a number above 0", list[str]: "a list of strings"}


class ConfigError(Exception):
    """The config cannot be used. The message says what to mend."""


@dataclass
class Config:
    """The server, and what is needed to call it. "" and []: not given; its checks are skipped.

    `authorize` is a program that stands in for the client and its user: it gets the parameters of
    an authorization request as a JSON object on standard input, and prints the token response as
    JSON, or the error (`{"error": …}`) that came back to the client.

    `more_scope` is what a merge adds and a replace removes. `outliving_access_token` is a token of
    the same client that does not belong to the grant; `weak_access_token` lacks the scopes;
    `other_grant_id` is a grant of another client. Timeouts are in seconds.
    """

    issuer: str = ""
    metadata_url: str = ""
    grant_management_endpoint: str = ""
    token_endpoint: str = ""
    client_id: str = ""
    client_secret: str = ""
    authorize: list[str] = field(default_factory=list)
    authorize_timeout: float = 300
    scope: str = "grant_management_query grant_management_revoke"
    more_scope: str = ""
    grant_id: str = ""
    access_token: str = ""
    refresh_token: str = ""
    outliving_access_token: str = ""
    weak_access_token: str = ""
    other_grant_id: str = ""
    timeout: float = 20

    def __post_init__(self) -> None:
        if self.more_scope and set(self.more_scope.split()) <= set(self.scope.split()):
            raise ConfigError("'more_scope' has nothing that 'scope' has not: no merge would show")

    @classmethod
    def load(cls, path: Path) -> "Config":
        """Read a TOML file. ConfigError: no such file, an unknown member or a value of a wrong
        type.
        """
        try:
            members = tomllib.loads(path.read_bytes().decode())
            _check(members, {one.name: one.type for one in fields(cls)})
            return cls(**members)
        except (OSError, ValueError, RecursionError, ConfigError) as error:
            raise ConfigError(f"{path}: {error}") from None


def _check(members: dict[str, Any], kinds: dict[str, Any]) -> None:
    for name, value in members.items():
        if name not in kinds:
            raise ConfigError(f"unknown member {name!r}; known: {', '.join(kinds)}")
        if not _fits(value, kinds[name]):
            raise ConfigError(f"{name!r} must be {_KINDS[kinds[name]]}")


def _fits(value: Any, kind: Any) -> bool:
    if kind is float:
        return type(value) in (int, float) and 0 < value < float("inf")
    if kind is str:
        return isinstance(value, str)
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
