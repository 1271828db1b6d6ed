"""DPoP proofs of a client (RFC 9449 §4.2)."""

import base64
import hashlib
import json
import secrets
import time

ENDPOINT = "https://as.example.com/gm"
OLDEST = 120
"""Seconds: an older proof is refused (dpop_max_age and dpop_clock_skew)."""


class Key:
    """A key pair that signs DPoP proofs."""

    def __init__(self) -> None:
        # Imported here, so that `run.py chaos --help` needs no package.
        from cryptography.hazmat.primitives.asymmetric import ec

        self._private = ec.generate_private_key(ec.SECP256R1())
        numbers = self._private.public_key().public_numbers()
        x, y = (_b64url(number.to_bytes(32)) for number in (numbers.x, numbers.y))
        self._jwk = {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    @property
    def thumbprint(self) -> str:
        """The thumbprint of the key (RFC 7638): of its sorted members, without white space."""
        canonical = json.dumps(self._jwk, sort_keys=True, separators=(",", ":"))
        return _b64url(hashlib.sha256(canonical.encode()).digest())

    def proof(self, grant_id: str, access_token: str, *, htm: str = "GET", age: float = 0.0) -> str:
        """A proof for a QUERY (GET) or REVOKE (DELETE) of that grant, signed `age` seconds ago."""
        ath = _b64url(hashlib.sha256(access_token.encode()).digest())
        return self._sign(htm, f"{ENDPOINT}/{grant_id}", {"ath": ath}, age)

    def token_proof(self) -> str:
        """A proof for a token request (RFC 9449 §5): it has no `ath`."""
        return self._sign("POST", TOKEN_ENDPOINT, {}, 0.0)

    def _sign(self, htm: str, htu: str, more: dict[str, str], age: float) -> str:
        import jwt

        claims: dict = {"jti": secrets.token_urlsafe(16), "htm": htm, "htu": htu, **more}
        claims["iat"] = int(time.time() - age)
        headers = {"typ": "dpop+jwt", "jwk": self._jwk}
        return jwt.encode(claims, self._private, algorithm="ES256", headers=headers)


TOKEN_ENDPOINT = "https://as.example.com/token"


def _b64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
