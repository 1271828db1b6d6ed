"""Members that are strings (with bounds, a pattern or choices), and booleans."""

import re
import uuid
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, Final

from ..protocol.content import has_control
from ..protocol.strict_json import check_string
from .field import Field
from .words import rule as _

_LINE_ENDS: Final = str.maketrans("", "", "\t\n\r")


@dataclass(frozen=True)
class Opaque(Field):
    """A string that is looked up or verified, and not stored: its check refuses what is wrong."""

    may_be_empty: bool = True

    @property
    def sentence(self) -> str:
        """The rule, which is about the type alone."""
        return (
            _("must be a string") if self.may_be_empty else _("must be a string that is not empty")
        )

    def read(self, value: Any) -> str:
        """The string, unchanged."""
        if not isinstance(value, str) or not (value or self.may_be_empty):
            raise self.refused()
        return value


@dataclass(frozen=True)
class Anything(Field):
    """A value of any type. The operation itself reads it, and refuses it with the same sentence."""

    what: str = ""
    type: ClassVar[str] = "any"

    @property
    def sentence(self) -> str:
        """The rule that the operation applies."""
        return f"must be {self.what}"

    def read(self, value: Any) -> Any:
        """The value, unchanged."""
        return value


@dataclass(frozen=True)
class Text(Field):
    """A string of `shortest` to `longest` characters, none of them a control character.

    `lines`: tabs and line ends are allowed. `controls`: all control characters but U+0000 are.
    """

    shortest: int = 1
    longest: int = 255
    lines: bool = False
    controls: bool = False

    @property
    def sentence(self) -> str:
        """The rule, with both bounds and the control characters that are allowed."""
        size = {"least": self.shortest, "most": self.longest}
        if self.controls:
            return _("must be a string of %(least)s to %(most)s characters", **size)
        if self.lines:
            return _(
                "must be a string of %(least)s to %(most)s characters"
                " without control characters other than tabs and line ends",
                **size,
            )
        return _(
            "must be a string of %(least)s to %(most)s characters without control characters",
            **size,
        )

    def sought(self) -> "Text":
        """The rule for searching: old values may have control characters, which are refused now."""
        return replace(self, controls=True)

    def read(self, value: Any) -> str:
        """The string, unchanged."""
        if not isinstance(value, str) or not self.shortest <= len(value) <= self.longest:
            raise self.refused()
        if not (value.isprintable() or self._is_clean(value)):
            raise self.refused()
        return value

    def _is_clean(self, value: str) -> bool:
        try:
            check_string(value)
        except ValueError:
            return False
        kept = value.translate(_LINE_ENDS) if self.lines else value
        return self.controls or not has_control(kept)


@dataclass(frozen=True)
class Credential(Field):
    """The value of a token. Only its digest is stored, so all characters of JSON are accepted."""

    longest: int = 100_000

    @property
    def sentence(self) -> str:
        """The rule, without the value, which must not get into an error."""
        return f"must be a token of 1 to {self.longest} characters"

    def read(self, value: Any) -> str:
        """The value, unchanged."""
        if not isinstance(value, str) or not 0 < len(value) <= self.longest:
            raise self.refused()
        return value


@dataclass(frozen=True)
class Pattern(Field):
    """A string that matches a pattern as a whole; `what` describes the pattern in words."""

    pattern: str = ""
    what: str = ""

    @property
    def sentence(self) -> str:
        """The rule, in the words of `what`."""
        return _("must be %(what)s", what=_(self.what))

    def read(self, value: Any) -> Any:
        """The string, unchanged."""
        if not isinstance(value, str) or not _compiled(self.pattern).fullmatch(value):
            raise self.refused()
        return value


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@dataclass(frozen=True)
class Digest(Pattern):
    """A SHA-256 digest in hexadecimal digits."""

    pattern: str = "[0-9A-Fa-f]{64}"
    what: str = "a SHA-256 in 64 hexadecimal digits"

    def read(self, value: Any) -> bytes:
        """The 32 bytes of the digest."""
        return bytes.fromhex(super().read(value))


@dataclass(frozen=True)
class Uuid(Field):
    """A UUID (RFC 9562)."""

    @property
    def sentence(self) -> str:
        """The rule, which has no bounds."""
        return "must be a UUID"

    def read(self, value: Any) -> uuid.UUID:
        """The UUID, in any spelling that Python accepts."""
        try:
            return uuid.UUID(value)
        except (ValueError, AttributeError, TypeError):
            raise self.refused() from None


@dataclass(frozen=True)
class Flag(Field):
    """True or false. 0, 1 and strings are refused."""

    type: ClassVar[str] = "boolean"

    @property
    def sentence(self) -> str:
        """The rule, which is about the type alone."""
        return _("must be true or false")

    def read(self, value: Any) -> bool:
        """The value, unchanged."""
        if not isinstance(value, bool):
            raise self.refused()
        return value


@dataclass(frozen=True)
class Unset(Field):
    """A member that changes nothing here: only what SDKs send for one that was never set."""

    type: ClassVar[str] = "any"

    @property
    def sentence(self) -> str:
        """The rule; null is taken for absent everywhere."""
        return "must be left out, or be false or 0: this server cannot change it"

    def read(self, value: Any) -> None:
        """Nothing."""
        if value is not False and getattr(value, "text", value) not in (0, "0"):
            raise self.refused()


@dataclass(frozen=True)
class Choice(Field):
    """A string that is one of `choices`."""

    choices: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The rule, with all choices."""
        return _("must be one of %(choices)s", choices=", ".join(self.choices))

    def read(self, value: Any) -> str:
        """The string, unchanged."""
        if not isinstance(value, str) or value not in self.choices:
            raise self.refused()
        return value


@dataclass(frozen=True)
class Choices(Field):
    """An array of `choices`, with at least `least` elements."""

    choices: tuple[str, ...] = ()
    least: int = 0
    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """The rule, with all choices and the least number of elements."""
        choices = ", ".join(self.choices)
        if not self.least:
            return _("must be an array of %(choices)s", choices=choices)
        return _(
            "must be an array of at least %(least)s of %(choices)s",
            least=self.least,
            choices=choices,
        )

    def read(self, value: Any) -> list[str]:
        """The distinct strings, in the order in which they first appear."""
        given = value if isinstance(value, list) else [None]  # which is no choice, so it is refused
        if not all(isinstance(one, str) and one in self.choices for one in given):
            raise self.refused()
        if len(given) < self.least:
            raise self.refused()
        return list(dict.fromkeys(given))
