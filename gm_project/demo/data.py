"""The data of the demo: made anew each time, with keys and secrets for that run alone."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import django

django.setup()

import jwt  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from gm_project.demo.past import make_past  # noqa: E402
from gm_project.demo.words import describe  # noqa: E402
from grant_management.models import (  # noqa: E402
    AccessToken,
    Actor,
    ApiToken,
    Client,
    EventKind,
    Grant,
    Organization,
    Service,
    Webhook,
)
from grant_management.protocol import certificates, jwk  # noqa: E402
from grant_management.protocol.digests import b64url_encode, sha256  # noqa: E402

Body = dict[str, object]
PERSON = "user-2"
"""Who can log in to see their own grants."""
SCOPES = "grant_management_query grant_management_revoke"


@dataclass(frozen=True)
class Step:
    """One call: its title, its body for the last nonce, and the expected action and result code."""

    title: str
    body: Callable[[str], Body]
    expected: tuple[str, str]


@dataclass(frozen=True)
class DemoData:
    """The calls, and what they need; `username` and `password` are those of the admin.

    `person` has the same password at the pages of their own.
    """

    path: str
    api_token: str
    username: str
    password: str
    person: str
    webhook_secret: str
    steps: list[Step]
    curl_body: Callable[[str], Body]


class Key:
    """A client's key, and the DPoP proofs that it signs (RFC 9449 §4.2)."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        exported = jwt.algorithms.ECAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        self._public = {name: exported[name] for name in ("kty", "crv", "x", "y")}
        self.jkt = jwk.thumbprint(self._public)

    def proof(self, htm: str, htu: str, access_token: str, nonce: str = "") -> str:
        """A DPoP proof for one request; `nonce` "": without a nonce."""
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": htm,
            "htu": htu,
            "iat": int(time.time()),
            "ath": b64url_encode(sha256(access_token)),
        }
        headers = {"typ": "dpop+jwt", "jwk": self._public}
        if nonce:
            claims["nonce"] = nonce
        return jwt.encode(claims, self._private, algorithm="ES256", headers=headers)


def seed(base: str, receiver: str) -> DemoData:
    """Migrate a new database, and fill it for the demo; `base` is the URL of the server.

    It gets an organization, a service, a client, grants, tokens, and a webhook to the URL
    `receiver`.
    """
    call_command("migrate", verbosity=0)
    password = secrets.token_urlsafe(9)
    users = get_user_model()._default_manager
    users.create_superuser("demo", "", password)
    users.create_user(PERSON, "", password)
    organization = Organization.objects.create(name="Example Bank")
    service = Service.objects.create(
        organization=organization,
        name="Retail",
        grant_management_endpoint=f"{base}/gm",
        call_log_size=1_000,
        track_last_used=True,
    )
    make_past(service, timezone.now())
    client = Client.objects.get(service=service, client_id="budget-app")
    actor = Actor.command("demo")
    describe(service, actor)
    for app in Client.objects.filter(service=service):
        _grant(app, PERSON).record(EventKind.CREATED, timezone.now(), Actor.client(app.client_id))
    _, api_token = ApiToken.objects.issue(
        organization=organization, service=service, description="Demo", actor=actor
    )
    _, secret = Webhook.objects.register(
        service,
        actor,
        signature="v1",
        url=receiver,
        event_types=["grant.revoked"],
        description="Demo",
    )
    return _calls(service, client, api_token=api_token, password=password, webhook_secret=secret)


def _calls(service: Service, client: Client, **shown: str) -> DemoData:
    key = Key()
    certificate, thumbprint = _certificate()
    grant, other = _grant(client, "user-1"), _grant(client, PERSON)
    bearer = _token(client, grant)
    bound = _token(client, grant, jkt=key.jkt)
    certified = _token(client, grant, x5t_s256=thumbprint)
    own = _token(client, None)
    for_curl = _token(client, other)
    url = service.grant_url(grant.grant_id)

    def call(token: str, action: str = "QUERY", **more: object) -> Body:
        return {"accessToken": token, "gmAction": action, "grantId": grant.grant_id, **more}

    def proved(nonce: str = "", **more: object) -> Body:
        proof = key.proof("GET", url, bound, nonce)
        return call(bound, "QUERY", dpop=proof, **more)

    steps = [
        Step("QUERY with a bearer token", lambda _: call(bearer), ("OK", "A277001")),
        Step("QUERY with a DPoP proof", lambda _: proved(), ("OK", "A277001")),
        Step(
            "A nonce is required: the answer carries one",
            lambda _: proved(dpopNonceRequired=True),
            ("UNAUTHORIZED", "A281309"),
        ),
        Step(
            "The same again, with that nonce in the proof",
            lambda nonce: proved(nonce, dpopNonceRequired=True),
            ("OK", "A277001"),
        ),
        Step(
            "QUERY with a certificate-bound token",
            lambda _: call(certified, clientCertificate=certificate),
            ("OK", "A277001"),
        ),
        Step(
            "Refused: the token is bound to a key, and nothing proves it",
            lambda _: call(bound),
            ("UNAUTHORIZED", "A281305"),
        ),
        Step("REVOKE", lambda _: call(bearer, "REVOKE"), ("NO_CONTENT", "A277001")),
        Step(
            "QUERY again, with the client's own token, which outlives the grant",
            lambda _: call(own),
            ("NOT_FOUND", "A283301"),
        ),
    ]

    def curl_body(action: str) -> Body:
        return {"accessToken": for_curl, "gmAction": action, "grantId": other.grant_id}

    return DemoData(
        path=f"/api/{service.pk}/auth/gm",
        username="demo",
        person=PERSON,
        steps=steps,
        curl_body=curl_body,
        **shown,
    )


def _grant(client: Client, subject: str) -> Grant:
    return Grant.objects.create(
        service=client.service,
        client=client,
        grant_id=secrets.token_urlsafe(32),
        subject=subject,
        scopes='[{"scope":"accounts","resource":["https://rs.example.com/api"]},{"scope":"openid"}]',
        claims='["email"]',
        authorization_details='[{"type":"account_information","actions":["list_accounts"]}]',
        created_at=timezone.now(),
    )


def _token(client: Client, grant: Grant | None, **binding: str) -> str:
    value = secrets.token_urlsafe(32)
    now = timezone.now()
    AccessToken.objects.create(
        service=client.service,
        client=client,
        grant=grant,
        subject=grant.subject if grant else None,
        digest=sha256(value),
        scopes=SCOPES,
        issued_at=now,
        expires_at=now + timedelta(days=1),
        **binding,
    )
    return value


def _certificate() -> tuple[str, str]:
    """A client certificate in PEM, and its thumbprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "budget-app")])
    now = timezone.now()
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return pem, certificates.thumbprint(pem)
