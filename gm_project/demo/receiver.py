"""The demo's receiver of webhooks: HTTPS on this machine, with keys for this run alone."""

import hmac
import json
import os
import queue
import secrets
import ssl
import threading
from base64 import b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST: Final = "127.0.0.1"


class Arrived(NamedTuple):
    """A request that came in."""

    headers: dict[str, str]
    body: bytes

    def is_signed_with(self, secret: str) -> bool:
        """Whether the webhook's `whsec_…` signed it, by the Standard Webhooks specification."""
        head = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode()
        key = b64decode(secret.removeprefix("whsec_"))
        mac = hmac.digest(key, head + self.body, "sha256")
        kind, _, given = self.headers["webhook-signature"].partition(",")
        return kind == "v1" and hmac.compare_digest(b64decode(given), mac)


class Receiver:
    """A receiver in a thread that ends with the process."""

    def __init__(self, certificate: Path) -> None:
        """Listen on a free port, with a new certificate in that file."""
        _write_certificate(certificate)
        self._came: queue.SimpleQueue[Arrived] = queue.SimpleQueue()
        self._certificate = certificate
        server = ThreadingHTTPServer((HOST, 0), _handler(self._came))
        server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self.url = f"https://{HOST}:{server.server_address[1]}/hook"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def environment(self) -> dict[str, str]:
        """What a server needs to send here: keys, this network, trust in the certificate."""
        key = urlsafe_b64encode(secrets.token_bytes(32)).decode()
        settings = {"ENCRYPTION_KEYS": [key], "WEBHOOK_NETWORKS": [f"{HOST}/32"]}
        return {
            "GRANT_MANAGEMENT": json.dumps(settings),
            "DELIVER_EVENTS": "on",
            "SSL_CERT_FILE": str(self._certificate),
        }

    def next(self, within: float) -> Arrived | None:
        """The next request; None: there is none within so many seconds."""
        try:
            return self._came.get(timeout=within)
        except queue.Empty:
            return None


def _handler(came: "queue.SimpleQueue[Arrived]") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            came.put(Arrived({name.lower(): one for name, one in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """The demo shows what came in."""

    return Handler


def _write_certificate(path: Path) -> None:
    """A key and a certificate that is its own authority, in a file that only its owner reads."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the demo's receiver")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=30)).add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private + made)
