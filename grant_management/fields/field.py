"""The base class of the members of requests and records."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class Field:
    """A member: its name on the wire, the values that it accepts, and the text that refuses others.

    `nullable`: `take` accepts null as a value. `type` is the type in JSON, for documentation.
    """

    name: str
    nullable: bool = False
    type: ClassVar[str] = "string"

    @property
    def sentence(self) -> str:
        """The rule, as an error states it after the member's name: "must be …"."""
        raise NotImplementedError

    def named(self, name: str) -> Self:
        """The same rule for a member of another name."""
        return replace(self, name=name)

    def or_null(self) -> Self:
        """The same rule, with null accepted as well."""
        return replace(self, nullable=True)

    def take(self, value: Any) -> Any:
        """As `read`; but None is returned as it is where the member is nullable."""
        return None if value is None and self.nullable else self.read(value)

    def read(self, value: Any) -> Any:
        """The value as models store it, from one of `strict_json`. ValueError: it is refused.

        Numbers come as `Literal`s where they were kept as they were written.
        """
        raise NotImplementedError

    def judge(self, value: Any, now: datetime) -> None:
        """Raise ValueError if a value from `read` is not acceptable at the time `now`."""

    def refused(self) -> ValueError:
        """The exception to raise for a refused value; its text is the sentence."""
        return ValueError(self.sentence)
