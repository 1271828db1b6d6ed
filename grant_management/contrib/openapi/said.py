"""What is said of an operation besides what its view declares."""

from dataclasses import dataclass
from typing import Any

from ...protocol.results import Result
from .schemas import Schema
from .shapes import Shape

Key = Any
"""The function that performs an operation; or the class of its view and the method."""


@dataclass(frozen=True)
class Said:
    """One operation.

    `id` is the operation's in the document. `answer` is the body of 200; None: 204 without a body.
    `status` is that of the answer, where it is another one.
    `refusals` are those besides what every operation of its view may answer. `needs` are the
    members without which the request is refused. `summary` takes the place of the docstring of what
    performs the operation, where that is about the view.
    """

    id: str
    answer: Shape | Schema | None
    refusals: tuple[Result, ...] = ()
    needs: tuple[str, ...] = ()
    summary: str = ""
    status: int | None = None

    @property
    def schema(self) -> Schema | None:
        """The schema of the answer, by its name where it has one."""
        return self.answer.ref if isinstance(self.answer, Shape) else self.answer

    @property
    def results(self) -> tuple[Result, ...]:
        """The results that the answer may have."""
        return self.answer.results if isinstance(self.answer, Shape) else ()
