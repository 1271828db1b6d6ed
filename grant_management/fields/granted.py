"""Members for what is granted (scopes, claims, authorization details), and the confirmation."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from ..conf import app_settings
from ..protocol import content
from ..protocol.content import Limits, Pair
from .field import Field
from .strings import Pattern

THUMBPRINT: Final = Pattern(
    "jkt",
    # 43 characters have 258 bits. The last two must be 0, so that a thumbprint has one spelling.
    pattern="[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]",
    what="a SHA-256 thumbprint in base64url (43 characters)",
)


def grant_limits() -> Limits:
    """The limits of what one grant holds, from the host's settings."""
    return Limits(app_settings.max_grant_pairs, app_settings.max_grant_content)


@dataclass(frozen=True)
class ScopeNames(Field):
    """An array of names of scopes (RFC 6749 §3.3).

    `or_string`: one space-delimited string is accepted too. `longest` is the length in characters
    of all names joined by spaces: it is limited since tokens travel in headers.
    """

    or_string: bool = False
    longest: int = 16_384
    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """The rule, with the sizes of each name and of all together."""
        also = " or a space-delimited string" if self.or_string else ""
        sizes = f"1 to {content.MAX_NAME} characters, all together at most {self.longest}"
        return f"must be an array{also} of names (RFC 6749, section 3.3), each of {sizes}"

    def read(self, value: Any) -> list[str]:
        """The distinct names, sorted. An entry of the array may have several, space-delimited."""
        if self.or_string and isinstance(value, str):
            value = [value] if value else []
        if not isinstance(value, list):
            raise self.refused()
        try:
            names = sorted({name for one in value for name in content.scope_names(one)})
        except ValueError:
            raise self.refused() from None
        if len(" ".join(names)) > self.longest:
            raise self.refused()
        return names


@dataclass(frozen=True)
class Scopes(Field):
    """The scopes of a grant, with their resources (draft §6.4)."""

    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """The rule for scopes and resources. Too many pairs are refused with another text."""
        return content.SCOPES_RULE

    def read(self, value: Any) -> frozenset[Pair]:
        """The pairs of a scope and a resource, or None for no resource in particular."""
        return content.read_scopes(value, app_settings.max_grant_pairs)


@dataclass(frozen=True)
class Claims(Field):
    """The claims of a grant (draft §6.4)."""

    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """The rule, with the size of a name."""
        return content.CLAIMS_RULE

    def read(self, value: Any) -> frozenset[str]:
        """The distinct names."""
        return content.read_claims(value)


@dataclass(frozen=True)
class Details(Field):
    """The authorization details of a grant (RFC 9396 §2)."""

    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """The rule for each detail."""
        return content.DETAILS_RULE

    def read(self, value: Any) -> tuple[str, ...]:
        """The JSON text of each distinct detail. `value` has its numbers as `Literal`s."""
        return content.read_details(value)


@dataclass(frozen=True)
class Confirmation(Field):
    """`cnf` (RFC 7800) with `jkt` (RFC 9449 §6.1) and `x5t#S256` (RFC 8705 §3.1)."""

    thumbprint: Pattern = THUMBPRINT
    type: ClassVar[str] = "object"

    @property
    def sentence(self) -> str:
        """The rule for the object and its two members."""
        return f"must be an object with 'jkt' or 'x5t#S256', each {self.thumbprint.what}"

    def read(self, value: Any) -> dict[str, str]:
        """The thumbprints by the names of their columns. Members that are null are left out."""
        columns = {"jkt": "jkt", "x5t#S256": "x5t_s256"}
        # What is not an object becomes one with an unknown member, and is refused for that.
        given = value if isinstance(value, dict) else {"": None}
        try:
            return {
                columns[name]: self.thumbprint.read(one)
                for name, one in given.items()
                if one is not None or name not in columns
            }
        except (KeyError, ValueError):
            raise self.refused() from None
