"""`deploy/nginx.conf`, run by an ordinary process of nginx on ports of this machine."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ..standalone import ROOT, environment, free_port, wait_for
from ..world import certificate

CONFIGURATION = ROOT / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
MAIN = """
daemon off; pid {folder}/pid; worker_processes 2; error_log {folder}/error.log; {user}
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  include {folder}/site.conf;
}}
"""


@dataclass
class Answer:
    status: int
    headers: object
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Site:
    """Its ports and its folder, where the logs are."""

    port: int
    plain_port: int
    folder: Path

    def connect(self, *, client=None, source="127.0.0.1"):
        """A TLS connection; `client`: the files of its certificate and key."""
        context = ssl.create_default_context(cafile=self.folder / "fullchain.pem")
        context.check_hostname = False  # it is an address
        if client is not None:
            context.load_cert_chain(*client)
        plain = socket.create_connection(("127.0.0.1", self.port), 30, (source, 0))
        return context.wrap_socket(plain)

    def call(self, method, path, body=None, headers=(), **how):
        """The answer to one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1")
        connection.sock = self.connect(**how)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    def exchange(self, sent):
        """All that comes back for these very bytes."""
        with self.connect() as connection:
            connection.sendall(sent)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return Answer(answer.status, answer.headers, answer.read())


@contextlib.contextmanager
def site(folder, upstream, **changes):
    """nginx in front of the port `upstream`; `changes`: what takes the place of which words."""
    one = Site(free_port(), free_port(), folder)
    write_pair(folder, "fullchain.pem", "privkey.pem")
    (folder / "site.conf").write_text(_adapted(one, upstream, changes))
    # The workers of root are another user, who may not look into a folder of pytest.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
    line = [NGINX, "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    process = subprocess.Popen(line, env=environment(), stderr=subprocess.DEVNULL)
    try:
        wait_for(one.port)
        assert process.poll() is None
        yield one
    finally:
        process.terminate()
        process.wait(timeout=30)


def _adapted(one, upstream, changes):
    """The file with ports and paths of the test. Each must be there, or the test tests nothing."""
    words = {
        "listen [::]:80 default_server;": "",
        "listen [::]:443 ssl default_server;": "",
        "listen 80 ": f"listen 127.0.0.1:{one.plain_port} ",
        "listen 443 ssl ": f"listen 127.0.0.1:{one.port} ssl ",
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
        "/etc/ssl/grant-management": str(one.folder),
        "/var/log/nginx": str(one.folder),
    }
    text = CONFIGURATION.read_text()
    for old, new in (words | changes).items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def write_pair(folder, certificate_name, key_name):
    """Write a self-signed certificate and its key; its thumbprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem, thumbprint = certificate(key=key)
    (folder / certificate_name).write_text(pem)
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / key_name).write_bytes(encoded)
    return thumbprint
