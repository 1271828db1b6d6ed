"""A receiver of webhooks: a real HTTPS server of this machine, with a certificate of its own."""

import contextlib
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NETWORKS = ["127.0.0.0/8", "::1/128"]


def certificate_of(folder, *names):
    """A certificate for these names, which is its own authority: the path of both PEMs."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    alternatives = [
        x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        for name in names
    ]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"receiver-{names[0]}.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(pem))
    return path


@dataclass
class Receiver:
    """What came in, as (headers, body); `answers` are the statuses of the next ones, then 204.

    An answer that is a function gets the handler, and answers itself.
    """

    port: int = 0
    pem: object = None
    came: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    names: list = field(default_factory=list)

    @property
    def url(self):
        return f"https://localhost:{self.port}/hook?a=1"

    def ids(self):
        return [headers["webhook-id"] for headers, _body in self.came]


def _handler(receiver):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            headers["path"], self.body = self.path, body
            receiver.came.append((headers, body))
            answer = receiver.answers.pop(0) if receiver.answers else 204
            if callable(answer):
                answer(self)
                return
            self.send_response(answer)
            if 300 <= answer < 400:
                self.send_header("Location", f"https://127.0.0.1:{receiver.port}/other")
            self.end_headers()

        def log_message(self, *args):
            pass

    return Handler


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Whoever hangs up is part of the tests."""


def drip(handler):
    """An answer that never ends: a byte of a header now and then."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(600):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.1)


@contextlib.contextmanager
def stalling(beginning):
    """A port that takes connections, says this, then a byte now and then; never a whole answer."""
    over = threading.Event()

    def stall(connection):
        with contextlib.suppress(OSError), connection:
            connection.sendall(beginning)
            while not over.wait(0.2):
                if beginning:
                    connection.sendall(b"x")

    def accept():
        with contextlib.suppress(OSError):
            while not over.is_set():
                threading.Thread(target=stall, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        over.set()


@contextlib.contextmanager
def receiving(folder, *names):
    """A receiver, until the block ends."""
    receiver = Receiver(pem=certificate_of(folder, *(names or ("localhost",))))
    server = _Quiet(("127.0.0.1", 0), _handler(receiver))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(receiver.pem)
    context.sni_callback = lambda sock, name, _context: receiver.names.append(name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
