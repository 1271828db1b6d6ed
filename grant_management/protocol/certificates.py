"""Client certificates as proxies pass them on, and their thumbprints (RFC 8705 §3.1)."""

import base64
import hashlib
import re
import urllib.parse
from typing import Final

from cryptography import x509

from .digests import b64url_encode

MAX_LENGTH: Final = 65_536
"""Characters; a chain of a dozen certificates fits."""

_PEM = re.compile(
    r"-----BEGIN (?:X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END (?:X509 )?CERTIFICATE-----"
)
# A byte sequence of RFC 8941 §3.3.5.
_BYTE_SEQUENCE = re.compile(r"\s*:([A-Za-z0-9+/=\s]+):\s*\Z")


def thumbprint(text: str) -> str:
    """The `x5t#S256` of the leaf, which is the first certificate of a chain.

    `text` is PEM, also URL-escaped, or with spaces or tabs instead of line breaks; or base64 DER,
    where commas separate the certificates of a chain (Traefik); or one certificate between colons
    (RFC 9440). ValueError: there is no readable certificate, or more than the form allows.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError("too long")
    return b64url_encode(hashlib.sha256(_leaf(text)).digest())


def _leaf(text: str) -> bytes:
    """The DER of the first certificate.

    The values of a header that came twice are joined with a comma. PEM and RFC 9440 §2.2 have no
    comma, so it is refused there: nobody can tell which of the two values is the proxy's.
    """
    # Not unquote_plus: a plus sign is base64 here.
    plain = urllib.parse.unquote(text) if "%" in text else text
    if "-----" in plain:
        return _der(_first_block(plain))
    if ":" in plain:
        return _der(_one_byte_sequence(plain))
    leaf, *_others = [_der(part) for part in plain.split(",")]
    return leaf


def _first_block(pem: str) -> str:
    """The leaf's base64. Text before it is a comment (RFC 7468 §2), but must not have a comma."""
    block = _PEM.search(pem)
    if block is None or "-----" in pem[: block.start()] or "," in _PEM.sub("", pem):
        raise ValueError("no certificate, or one that came twice")
    return block[1]


def _one_byte_sequence(text: str) -> str:
    sequence = _BYTE_SEQUENCE.match(text)
    if sequence is None:
        raise ValueError("no byte sequence, or one that came twice")
    return sequence[1]


def _der(text: str) -> bytes:
    der = base64.b64decode(re.sub(r"\s", "", text), validate=True)
    x509.load_der_x509_certificate(der)
    return der
