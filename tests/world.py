"""A small world to test in: two tenants, their clients, grants and tokens; and proofs."""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from joserfc import jws
from joserfc.jwk import JWKRegistry

from grant_management.db import clock
from grant_management.models import (
    AccessToken,
    Actor,
    ApiToken,
    Client,
    Grant,
    Organization,
    OrganizationMember,
    RefreshToken,
    Service,
)
from grant_management.protocol.digests import sha256

ENDPOINT = "https://as.example.com/gm"
BOTH = "grant_management_query grant_management_revoke"


def b64(raw):
    """base64url without padding, by its own hand."""
    data = raw if isinstance(raw, bytes) else raw.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def now():
    return datetime.now(UTC)


@dataclass
class World:
    """One tenant."""

    service: Service
    client: Client
    api_token: str
    subject: str | None = "user-1"

    def client_named(self, client_id, **fields):
        return Client.objects.create(service=self.service, client_id=client_id, **fields)

    def grant(self, **fields):
        values = {
            "service": self.service,
            "client": self.client,
            "grant_id": secrets.token_urlsafe(32),
            "subject": self.subject,
            "scopes": '[{"scope":"openid"}]',
            "created_at": now() - timedelta(minutes=5),
        }
        return Grant.objects.create(**(values | fields))

    def token(self, grant=None, *, model=AccessToken, **fields):
        """The clear value of a new token."""
        value = fields.pop("value", None) or secrets.token_urlsafe(32)
        values = {
            "service": self.service,
            "client": self.client,
            "grant": grant,
            "subject": grant.subject if grant else None,
            "digest": sha256(value),
            "scopes": BOTH,
            "issued_at": now() - timedelta(minutes=4),
            "expires_at": now() + timedelta(hours=1),
        }
        model.objects.create(**(values | fields))
        return value

    def refresh_token(self, grant=None, **fields):
        return self.token(grant, model=RefreshToken, **fields)


BY_TEST = Actor.command("test")


def make_world(organization=None, **fields):
    organization = organization or Organization.objects.create(name="Example Bank")
    values = {"name": "Retail", "grant_management_endpoint": ENDPOINT}
    service = Service.objects.create(organization=organization, **(values | fields))
    client = Client.objects.create(service=service, client_id="app-1", name="Budget App")
    api_token = api_token_of(organization=organization, service=service)
    return World(service, client, api_token)


def organization_token(world, **fields):
    return api_token_of(organization=world.service.organization, **fields)


def make_operator(user_model, name="ann", organization=None):
    """A user of the admin without any permission yet, who sees one organization, or all of them."""
    user = user_model.objects.create_user(name, is_staff=True)
    OrganizationMember.objects.create(user_id=user.pk, organization=organization)
    return user


def api_token_of(**fields):
    """The clear value of an API token that was there before the test: no event tells of it."""
    value = secrets.token_urlsafe(32)
    made = {"digest": sha256(value), "prefix": value[:8], "created_at": now()}
    ApiToken.objects.create(**(made | fields))
    return value


_KEYS = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


@dataclass
class Key:
    """A key of a client; joserfc, which is not ours, makes its JWK, thumbprint and signatures."""

    alg: str = "ES256"
    private: object = None
    jwk: object = field(init=False)

    def __post_init__(self):
        make = _KEYS.get(self.alg, lambda: rsa.generate_private_key(65537, 2048))
        self.private = self.private or make()
        pem = self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        kty = "EC" if self.alg.startswith("ES") else "OKP" if self.alg.startswith("Ed") else "RSA"
        self.jwk = JWKRegistry.import_key(pem, kty)

    @property
    def jkt(self):
        return self.jwk.thumbprint()

    @property
    def public(self):
        return self.jwk.as_dict(private=False)

    def proof(self, access_token, *, headers=None, without=(), **claims):
        """A proof for a QUERY of a grant at the default endpoint, and what else is asked for."""
        header = {"typ": "dpop+jwt", "alg": self.alg, "jwk": self.public} | (headers or {})
        payload = {
            "jti": secrets.token_urlsafe(12),
            "htm": "GET",
            "iat": int(time.time()),
            "ath": b64(hashlib.sha256(access_token.encode()).digest()),
        } | claims
        for name in without:
            header.pop(name, None)
            payload.pop(name, None)
        return self.sign(json.dumps(header), json.dumps(payload))

    def sign(self, header, payload):
        """A compact JWS of these very texts."""
        signed = f"{b64(header)}.{b64(payload)}"
        algorithm = jws.JWSRegistry.algorithms[self.alg]
        signature = algorithm.sign(signed.encode(), self.jwk)
        return f"{signed}.{b64(signature)}"


def later(function, by=timedelta(minutes=2)):
    """What it gives when the database's clock is further on."""
    real = clock.now
    with patch("grant_management.db.clock.now", lambda: real() + by):
        return function()


def certificate(name="budget-app", key=None):
    """A self-signed certificate: PEM, and its thumbprint."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
    )
    made = builder.sign(key, hashes.SHA256())
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    der = made.public_bytes(serialization.Encoding.DER)
    return pem, b64(hashlib.sha256(der).digest())
