"""Members of what is shown to people or browsers: addresses, origins, logos, texts by language."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from ..protocol import languages, logos, uris
from .field import Field
from .strings import Text
from .words import rule as _

LANGUAGES: Final = 50
"""Languages of one thing, at most."""


@dataclass(frozen=True)
class HttpsUrl(Field):
    """An https URL that people open, or ""."""

    longest: int = 2_000

    @property
    def sentence(self) -> str:
        """The rule, with the greatest length."""
        return _(
            "must be an absolute https URL of at most %(most)s characters, or empty",
            most=self.longest,
        )

    def read(self, value: Any) -> str:
        """The URL, unchanged."""
        if not isinstance(value, str) or len(value) > self.longest:
            raise self.refused()
        if value and not uris.is_https(value):
            raise self.refused()
        return value


@dataclass(frozen=True)
class Contact(Field):
    """An e-mail address (RFC 5321) or an https URL, or ""."""

    longest: int = 254

    @property
    def sentence(self) -> str:
        """The rule, with the greatest length."""
        return _(
            "must be an e-mail address or an absolute https URL of at most %(most)s characters,"
            " or empty",
            most=self.longest,
        )

    def read(self, value: Any) -> str:
        """The address, unchanged."""
        if not isinstance(value, str) or len(value) > self.longest:
            raise self.refused()
        if value and not (uris.is_https(value) or _is_email(value)):
            raise self.refused()
        return value


def _is_email(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return value.isprintable()


@dataclass(frozen=True)
class Origins(Field):
    """An array of origins as browsers send them (RFC 6454 §6.2)."""

    most: int = 100
    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """The rule, with an example: a trailing slash would never match."""
        return _(
            "must be an array of at most %(most)s origins such as https://app.example.com,"
            " without a path; http for localhost alone",
            most=self.most,
        )

    def read(self, value: Any) -> list[str]:
        """The distinct origins, in the order in which they first appear."""
        given = value if isinstance(value, list) and len(value) <= self.most else [None]
        if not all(isinstance(one, str) and uris.is_origin(one) for one in given):
            raise self.refused()
        return list(dict.fromkeys(given))


@dataclass(frozen=True)
class Picture(Field):
    """The file of a logo in base64 (RFC 4648 §4), or "": no logo."""

    @property
    def sentence(self) -> str:
        """The rule, with the greatest size."""
        return _(
            "must be a PNG, JPEG or WebP picture of at most %(most)s bytes and 4,096 pixels a side,"
            " not animated, in base64, or empty",
            most=f"{logos.LARGEST:,}",
        )

    def read(self, value: Any) -> bytes:
        """The picture as it is kept (`logos.encoded`); b"": no logo."""
        if not isinstance(value, str) or len(value) > 2 * logos.LARGEST:
            raise self.refused()
        try:
            data = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise self.refused() from None
        return self.read_file(data) if data else b""

    def read_file(self, data: bytes) -> bytes:
        """The picture of a file, as it is kept. ValueError: it is refused."""
        try:
            return logos.encoded(data)
        except logos.NoImageLibrary:
            needed = _("cannot be read here: install django-grant-management[logos]")
            raise ValueError(needed) from None
        except logos.LogoRefused:
            raise self.refused() from None


@dataclass(frozen=True)
class Texts(Field):
    """An array with an object for each language: its tag (BCP 47), and the `parts`.

    The first one is shown to readers of other languages. Parts in `needed` are never left out.
    """

    parts: tuple[Field, ...] = ()
    needed: frozenset[str] = frozenset()
    type: ClassVar[str] = "array"

    @property
    def sentence(self) -> str:
        """The rule, with the rules of the parts."""
        parts = "; ".join(f"'{part.name}' {part.sentence}" for part in self.parts)
        return _(
            "must be an array of at most %(most)s objects, each with another 'language' (BCP 47),"
            " where %(parts)s",
            most=LANGUAGES,
            parts=parts,
        )

    def read(self, value: Any) -> list[dict[str, str]]:
        """The objects, with tags in their canonical letter case, and without empty parts."""
        if not isinstance(value, list) or len(value) > LANGUAGES:
            raise self.refused()
        try:
            texts = [self._read_one(one) for one in value]
        except (ValueError, TypeError, AttributeError):
            raise self.refused() from None
        if len({one["language"] for one in texts}) != len(texts):
            raise self.refused()
        return texts

    def _read_one(self, one: Any) -> dict[str, str]:
        """One object. ValueError or another error of its type: it is not acceptable."""
        known = {part.name: part for part in self.parts}
        given = {name: value for name, value in one.items() if value not in (None, "")}
        language = languages.canonical(given.pop("language", None))
        if given.keys() - known.keys() or self.needed - given.keys():
            raise ValueError
        return {"language": language, **{name: known[name].read(given[name]) for name in given}}


NAME_SHOWN: Final = Text("name", longest=100)
SENTENCE: Final = Text("sentence", longest=500)
SITE: Final = HttpsUrl("site")
TERMS: Final = HttpsUrl("terms")
CONTACT: Final = Contact("contact")
