"""What is granted: scopes, claims, authorization details; and what binds a token."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from ..conf import app_settings
from ..protocol import content
from ..protocol.content import Limits, Pair
from .field import Field
from .strings import Pattern

THUMBPRINT: Final = Pattern(
    "jkt",
    # Of 43 characters the last has 4 bits: that is the one spelling of 32 bytes.
    pattern="[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]",
    what="a SHA-256 thumbprint in base64url (43 characters)",
)


def grant_limits() -> Limits:
    """Of what one grant holds, as the host set them."""
    return Limits(app_settings.max_grant_pairs, app_settings.max_grant_content)


@dataclass(frozen=True)
class ScopeNames(Field):
    """An array of names of scopes. `or_string`: also one space-delimited string.

    `longest` is in characters, of all of them as one string: tokens go through headers.
    """

    or_string: bool = False
    longest: int = 16_384
    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """With the rule for each name."""
        also = " or a space-delimited string" if self.or_string else ""
        sizes = f"1 to {content.MAX_NAME} characters, all together at most {self.longest}"
        return f"must be an array{also} of names (RFC 6749, section 3.3), each of {sizes}"

    def read(self, value: Any) -> list[str]:
        """Each name once, sorted. One entry of the array may have several names."""
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
    """The scopes of a grant, with their resources."""

    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """With the rules for both; of too many pairs another is said."""
        return content.SCOPES_RULE

    def read(self, value: Any) -> frozenset[Pair]:
        """The pairs."""
        return content.read_scopes(value, app_settings.max_grant_pairs)


@dataclass(frozen=True)
class Claims(Field):
    """The claims of a grant."""

    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """With the rule for each name."""
        return content.CLAIMS_RULE

    def read(self, value: Any) -> frozenset[str]:
        """The names."""
        return content.read_claims(value)


@dataclass(frozen=True)
class Details(Field):
    """The authorization details of a grant (RFC 9396 §2)."""

    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """With the rule for each of them."""
        return content.DETAILS_RULE

    def read(self, value: Any) -> tuple[str, ...]:
        """The JSON text of each."""
        return content.read_details(value)


@dataclass(frozen=True)
class Confirmation(Field):
    """`cnf` (RFC 7800) with `jkt` (RFC 9449 §6.1) and `x5t#S256` (RFC 8705 §3.1)."""

    thumbprint: Pattern = THUMBPRINT
    type: ClassVar[str] = "object"

    @property
    def sentence(self) -> str:
        """With the rule for both."""
        return f"must be an object with 'jkt' or 'x5t#S256', each {self.thumbprint.what}"

    def read(self, value: Any) -> dict[str, str]:
        """By the names of the columns."""
        columns = {"jkt": "jkt", "x5t#S256": "x5t_s256"}
        given = value if isinstance(value, dict) else {"": None}
        try:
            return {
                columns[name]: self.thumbprint.read(one)
                for name, one in given.items()
                if one is not None or name not in columns
            }
        except (KeyError, ValueError):
            raise self.refused() from None
