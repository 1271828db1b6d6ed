"""Client certificates as proxies hand them on, and their thumbprints (RFC 8705 §3.1)."""

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


def thumbprint(text: str) -> str:
    """`x5t#S256` of the leaf, which is the first certificate of a chain.

    Takes PEM, also URL-escaped or with spaces or tabs for its line breaks, and bare base64 DER
    (also between the colons of RFC 9440). ValueError where there is no certificate to read.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError("too long")
    der = base64.b64decode(re.sub(r"\s", "", _leaf(text)), validate=True)
    x509.load_der_x509_certificate(der)
    return b64url_encode(hashlib.sha256(der).digest())


def _leaf(text: str) -> str:
    """The base64 of the first certificate."""
    # Not unquote_plus: a plus sign is base64 here.
    plain = urllib.parse.unquote(text) if "%" in text else text
    if "-----" not in plain:
        return plain.strip().strip(":")
    block = _PEM.search(plain)
    if block is None:
        raise ValueError("no certificate")
    return block[1]
