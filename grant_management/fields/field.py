"""A member of a request or a record, as data: its name, what it may hold, and the sentence that
refuses the rest.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class Field:
    """A member by the name that it has on the wire. `nullable`: null is a value of its own."""

    name: str
    nullable: bool = False
    type: ClassVar[str] = "string"

    @property
    def sentence(self) -> str:
        """What is said, behind the name, of a value that is refused."""
        raise NotImplementedError

    def named(self, name: str) -> Self:
        """The same rule for a member of another name."""
        return replace(self, name=name)

    def or_null(self) -> Self:
        """The same rule, or null."""
        return replace(self, nullable=True)

    def take(self, value: Any) -> Any:
        """As `read`; and null, where that is a value."""
        return None if value is None and self.nullable else self.read(value)

    def read(self, value: Any) -> Any:
        """The value that models have. ValueError: it is refused."""
        raise NotImplementedError

    def judge(self, value: Any, now: datetime) -> None:
        """ValueError where the value that was read is not acceptable at this moment."""

    def refused(self) -> ValueError:
        """The exception that carries the sentence."""
        return ValueError(self.sentence)
