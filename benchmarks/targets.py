"""The targets: their servers, their requests, and what every answer must contain."""

import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from .load import CONNECTIONS, get, post
from .processes import ROOT, Server, free_port, standalone

API_TOKEN = "bench-api-token"
SERVICE = 1001
PATH = f"/api/{SERVICE}/auth/gm"
ENDPOINT = "https://as.example.com/gm"
BOUND = 5_000
"""The number of access tokens, the first ones, that are bound to the key; at most half of all."""
PEERS = Path(__file__).parent / "peers"


@dataclass
class Target:
    """One line of the table: `requests` makes requests, `expected` is part of every answer.

    `beside` is what goes on at the port meanwhile.
    """

    name: str
    server: Server
    requests: object
    expected: bytes
    postgres: bool = False
    beside: object = nullcontext
    connections: int = CONNECTIONS


class Key:
    """A client's key, and the DPoP proofs that it signs."""

    def __init__(self):
        import jwt
        from cryptography.hazmat.primitives.asymmetric import ec

        from grant_management.protocol import jwk

        self.private = ec.generate_private_key(ec.SECP256R1())
        exported = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.public = {name: exported[name] for name in ("kty", "crv", "x", "y")}
        self.jkt = jwk.thumbprint(self.public)

    def proof(self, htu, access_token):
        """A DPoP proof for one GET."""
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
    """Fill a database with this many grants, a known API token, and the toolkit's tokens.

    In a process of its own, which is configured for that database.
    """
    arguments = json.dumps({"grants": grants, "jkt": jkt, "toolkit": toolkit})
    line = [sys.executable, "-m", "benchmarks.targets", arguments]
    env = {**os.environ, "DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": SETTINGS}
    env["DATABASE_FOR"] = "commands"
    subprocess.run(line, cwd=ROOT, env=env, check=True)


SETTINGS = "benchmarks.peers.settings"


def _prepare(grants, jkt, toolkit):
    import django

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
    """Create this many tokens of the toolkit, and the one that may introspect them."""
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
    """The `numbers` first numbers of live grants from `start` on."""
    found = []
    index = start
    while len(found) < numbers:
        if index % 10 != 9:  # benchmarks.data makes one in ten revoked
            found.append(index)
        index += 1
    return found


def bearer_queries(count, grants):
    """QUERYs with a bearer token, each of another grant while there are enough."""
    start = min(BOUND, grants // 2)
    room = (grants - start) * 9 // 10
    numbers = alive(min(count, room), start)
    return [_call(numbers[index % len(numbers)], "QUERY") for index in range(count)]


def dpop_queries(count, grants, key):
    """QUERYs, each with a new DPoP proof."""
    numbers = alive(min(count, min(BOUND, grants // 2) * 9 // 10), 0)
    requests = []
    for index in range(count):
        number = numbers[index % len(numbers)]
        proof = key.proof(f"{ENDPOINT}/g-{number:010d}", f"access-{number}")
        requests.append(_call(number, "QUERY", dpop=proof))
    return requests


def numbered(numbers, action):
    """One call for each of these grants."""
    return [_call(number, action) for number in numbers]


def body_of(request):
    """The body of a request, as text."""
    return request.partition(b"\r\n\r\n")[2].decode()


def _call(number, action, **more):
    members = {"gmAction": action, "grantId": f"g-{number:010d}", "accessToken": f"access-{number}"}
    body = json.dumps(members | more).encode()
    return post(PATH, body, Authorization=f"Bearer {API_TOKEN}")


def moved(requests, path):
    """The same requests to another path: the floors take the same bodies."""
    return [one.replace(f"POST {PATH} ".encode(), f"POST {path} ".encode()) for one in requests]


def introspections(count, number):
    """Introspection requests to the toolkit."""
    headers = {"Authorization": "Bearer introspector"}
    form = "application/x-www-form-urlencoded"
    path = "/api/toolkit/introspect"
    return [
        post(path, f"token=toolkit-{index % number}".encode(), content_type=form, **headers)
        for index in range(count)
    ]


class Provider:
    """A running node-oidc-provider."""

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
        """Introspection requests, with the client's secret in the body."""
        body = f"client_id=bench&client_secret=bench&token={self.tokens['bearer']}".encode()
        form = "application/x-www-form-urlencoded"
        return [post("/token/introspection", body, content_type=form)] * count

    def userinfos(self, count):
        """Userinfo requests, each with a new DPoP proof."""
        token, host = self.tokens["bound"], self.issuer.removeprefix("http://")
        headers = {"Authorization": f"DPoP {token}", "Host": host}
        url = f"{self.issuer}/me"
        return [get("/me", **headers, DPoP=self.key.proof(url, token)) for _ in range(count)]


def serve(url, *, peers=False, **more):
    """Start the standalone project; with `peers`, its process also serves the peers in Django.

    `more` is added to its environment.
    """
    package = "benchmarks.peers" if peers else "gm_project"
    environment = {"DATABASE_URL": url, "SECRET_KEY": "x" * 50, **more}
    environment["DJANGO_SETTINGS_MODULE"] = f"{package}.settings"
    return standalone(f"{package}.wsgi:application", free_port(), env=environment)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    _prepare(**given)
