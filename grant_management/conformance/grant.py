"""A grant of the client under test, as a token response describes it."""

from dataclasses import dataclass
from typing import Any

from .verdict import require


@dataclass(frozen=True)
class Grant:
    """A grant, and tokens of it; "": not known, or not issued."""

    grant_id: str = ""
    access_token: str = ""
    refresh_token: str = ""

    @classmethod
    def issued(cls, answer: dict[str, Any]) -> "Grant":
        """The grant of a token response (draft §5.5, RFC 6749 §5.1).

        Failure: it is an error, or has no grant_id or no access_token.
        """
        require("error" not in answer, f"the error {answer.get('error')} came back")
        for name in ("access_token", "grant_id"):
            value = answer.get(name)
            require(isinstance(value, str) and value != "", f"there is no {name}")
        return cls(answer["grant_id"], answer["access_token"], refresh_token_of(answer))


def refresh_token_of(answer: dict[str, Any]) -> str:
    """The refresh token of a token response; "": it has none. Failure: it is no string or empty."""
    value = answer.get("refresh_token")
    require(value is None or (isinstance(value, str) and value != ""), "refresh_token is none")
    return value or ""
