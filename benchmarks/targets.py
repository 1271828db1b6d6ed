"""What is measured: each target's server, its requests, and what every answer must say."""

import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import django

from .load import get, post
from .processes import ROOT, Server, free_port, standalone

API_TOKEN = "bench-api-token"
SERVICE = 1001
PATH = f"/api/{SERVICE}/auth/gm"
ENDPOINT = "https://as.example.com/gm"
BOUND = 5_000
"""So many of the first access tokens are bound to the key."""
PEERS = Path(__file__).parent / "peers"


@dataclass
class Target:
    """One line of the table."""

    name: str
    server: Server
    requests: object
    expected: bytes
    postgres: bool = False


class Key:
    """A client's key, and proofs made with it."""

    def __init__(self):
        import jwt
        from cryptography.hazmat.primitives.asymmetric import ec

        from grant_management.protocol import jwk

        self.private = ec.generate_private_key(ec.SECP256R1())
        exported = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.public = {name: exported[name] for name in ("kty", "crv", "x", "y")}
        self.jkt = jwk.thumbprint(self.public)

    def proof(self, htu, access_token):
        """For one GET."""
        import jwt

        from grant_management.protocol.digests import b64url_encode, sha256

        claims = {
            "jti": secrets.token_urlsafe(12),
            "htm": "GET",
            "htu": htu,
            "iat": int(time.time()),
            "ath": b64url_encode(sha256(access_token)),
        }
        headers = {"typ": "dpop+jwt", "jwk": self.public}
        return jwt.encode(claims, self.private, algorithm="ES256", headers=headers)


def prepare(database_url, grants, jkt, *, toolkit=True):
    """A database with this many grants, a known API token, and the toolkit's tokens."""
    arguments = json.dumps({"grants": grants, "jkt": jkt, "toolkit": toolkit})
    line = [sys.executable, "-m", "benchmarks.targets", arguments]
    env = {**os.environ, "DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": SETTINGS}
    subprocess.run(line, cwd=ROOT, env=env, check=True)


SETTINGS = "benchmarks.peers.settings"


def _prepare(grants, jkt, toolkit):
    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from benchmarks.data import Size, fill
    from grant_management.models import AccessToken, ApiToken, Organization
    from grant_management.protocol.digests import sha256

    call_command("migrate", verbosity=0)
    fill(Size(grants))
    first = [sha256(f"access-{number}") for number in range(min(BOUND, grants // 2))]
    for start in range(0, len(first), 500):
        rows = AccessToken.objects.filter(service=SERVICE, digest__in=first[start : start + 500])
        rows.update(jkt=jkt)
    organization = Organization.objects.get(id=1)
    ApiToken.objects.get_or_create(
        digest=sha256(API_TOKEN),
        defaults={
            "organization": organization,
            "service_id": SERVICE,
            "created_at": timezone.now(),
        },
    )
    if toolkit:
        _prepare_toolkit(grants)


def _prepare_toolkit(number):
    """As many tokens, and the one that may introspect."""
    from django.utils import timezone
    from oauth2_provider.models import AccessToken, Application

    if AccessToken.objects.exists():
        return
    application = Application.objects.create(client_type="confidential", name="bench")
    until = timezone.now() + timedelta(days=365)
    values = {"application": application, "expires": until}
    AccessToken.objects.create(token="introspector", scope="introspection", **values)
    for start in range(0, number, 10_000):
        AccessToken.objects.bulk_create(
            AccessToken(
                token=f"toolkit-{index}", scope="read", token_checksum=_hex(index), **values
            )
            for index in range(start, min(start + 10_000, number))
        )


def _hex(index):
    import hashlib

    return hashlib.sha256(f"toolkit-{index}".encode()).hexdigest()


def alive(numbers, start=BOUND):
    """Numbers of grants that are alive, from one on, as many as asked for."""
    found = []
    index = start
    while len(found) < numbers:
        if index % 10 != 9:
            found.append(index)
        index += 1
    return found


def bearer_queries(count, grants):
    """QUERY with a bearer token, each of another grant."""
    start = min(BOUND, grants // 2)
    room = (grants - start) * 9 // 10
    numbers = alive(min(count, room), start)
    return [_call(numbers[index % len(numbers)], "QUERY") for index in range(count)]


def dpop_queries(count, grants, key):
    """QUERY with a fresh proof each."""
    numbers = alive(min(count, min(BOUND, grants // 2) * 9 // 10), 0)
    requests = []
    for index in range(count):
        number = numbers[index % len(numbers)]
        proof = key.proof(f"{ENDPOINT}/g-{number:010d}", f"access-{number}")
        requests.append(_call(number, "QUERY", dpop=proof))
    return requests


def numbered(numbers, action):
    """Calls for these grants."""
    return [_call(number, action) for number in numbers]


def body_of(request):
    """What a request has below its headers."""
    return request.partition(b"\r\n\r\n")[2].decode()


def _call(number, action, **more):
    members = {"gmAction": action, "grantId": f"g-{number:010d}", "accessToken": f"access-{number}"}
    body = json.dumps(members | more).encode()
    return post(PATH, body, Authorization=f"Bearer {API_TOKEN}")


def moved(requests, path):
    """The same requests to another path: the floors take the same bodies."""
    return [one.replace(f"POST {PATH} ".encode(), f"POST {path} ".encode()) for one in requests]


def introspections(count, number):
    """What the toolkit takes."""
    headers = {"Authorization": "Bearer introspector"}
    form = "application/x-www-form-urlencoded"
    path = "/api/toolkit/introspect"
    return [
        post(path, f"token=toolkit-{index % number}".encode(), content_type=form, **headers)
        for index in range(count)
    ]


class Provider:
    """node-oidc-provider, running."""

    def __init__(self, key, folder):
        self.key, port = key, free_port()
        npm = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(npm, cwd=PEERS, check=True, capture_output=True)
        said = folder / "tokens.json"
        arguments = json.dumps({"port": port, "jkt": key.jkt, "path": str(said)})
        line = ["node", "provider.mjs", arguments]
        self.server = Server(line, port, {"NODE_ENV": "production"}, cwd=PEERS)
        self.issuer = f"http://127.0.0.1:{port}"
        self.tokens = json.loads(said.read_text())

    def introspections(self, count):
        """With the client's secret in the body."""
        body = f"client_id=bench&client_secret=bench&token={self.tokens['bearer']}".encode()
        form = "application/x-www-form-urlencoded"
        return [post("/token/introspection", body, content_type=form)] * count

    def userinfos(self, count):
        """With a fresh proof each."""
        token, host = self.tokens["bound"], self.issuer.removeprefix("http://")
        headers = {"Authorization": f"DPoP {token}", "Host": host}
        url = f"{self.issuer}/me"
        return [get("/me", **headers, DPoP=self.key.proof(url, token)) for _ in range(count)]


def serve(url, *, peers=False):
    """The standalone project; with the peers that are Django views beside it, if wanted."""
    package = "benchmarks.peers" if peers else "gm_project"
    environment = {"DATABASE_URL": url, "SECRET_KEY": "x" * 50}
    environment["DJANGO_SETTINGS_MODULE"] = f"{package}.settings"
    return standalone(f"{package}.wsgi:application", free_port(), env=environment)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    _prepare(**given)
