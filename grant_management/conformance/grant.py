"""A grant of the client under test, as a token response hands it out."""

from dataclasses import dataclass
from typing import Any

from .verdict import require


@dataclass(frozen=True)
class Grant:
    """A grant, and tokens of it. "": there is none."""

    grant_id: str = ""
    access_token: str = ""
    refresh_token: str = ""

    @classmethod
    def issued(cls, answer: dict[str, Any]) -> "Grant":
        """By a token response (draft §5.5, RFC 6749 §5.1). Failure: it is none, or has no grant."""
        require("error" not in answer, f"the error {answer.get('error')} came back")
        for name in ("access_token", "grant_id"):
            value = answer.get(name)
            require(isinstance(value, str) and value != "", f"there is no {name}")
        return cls(answer["grant_id"], answer["access_token"], refresh_token_of(answer))


def refresh_token_of(answer: dict[str, Any]) -> str:
    """The refresh token of a token response, or "". Failure: it is no string."""
    value = answer.get("refresh_token")
    require(value is None or (isinstance(value, str) and value != ""), "refresh_token is none")
    return value or ""
