"""A small authorization server with grant management (draft 03), in memory, on loopback.

It is right, but for what a test switches on: `omits` names the duties that it neglects, and `twist`
changes an answer before it is sent. The conformance suite is tested against it.
"""

import base64
import json
import secrets
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, quote_plus

CLIENT_ID = "app-1"
WEAK, OUTLIVING = "weak-token-of-a-test", "outliving-token-of-a-test"
OTHER = "grant-of-another-client"
SCOPE, MORE = "grant_management_query grant_management_revoke", "accounts"

# The `authorize` program: what it is asked goes to the server, what the server answers is printed.
PROGRAM = """
import socket, sys
asked = sys.stdin.buffer.read()
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as line:
    head = b"POST /authorize HTTP/1.0\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(asked)
    line.sendall(head + asked)
    sys.stdout.buffer.write(line.makefile("rb").read().partition(b"\\r\\n\\r\\n")[2])
"""


@dataclass(frozen=True)
class Asked:
    """A request: its door (metadata, authorize, token, gm), who makes it, and for which grant."""

    door: str
    method: str
    grant_id: str
    token: str
    parameters: dict
    who: str = ""  # nobody, stranger, weak, outliving, client
    which: str = ""  # none, other, unknown, live, dead
    number: int = 0  # of its kind: the second create is 2

    @property
    def action(self):
        return self.parameters.get("grant_management_action")


@dataclass(frozen=True)
class Answer:
    """A response. `value` is sent as JSON, `body` as it is."""

    status: int = 200
    value: object = None
    headers: tuple = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    body: bytes | None = None

    def but(self, **members):
        """With these members in its object; those that are `...` are taken out."""
        value = {name: one for name, one in (self.value | members).items() if one is not ...}
        return replace(self, value=value)

    def field(self, name, *values):
        """With these lines of a header field, and no others of it."""
        kept = tuple(one for one in self.headers if one[0] != name)
        return replace(self, headers=kept + tuple((name, value) for value in values))

    @property
    def content(self):
        if self.body is not None:
            return self.body
        return b"" if self.value is None else json.dumps(self.value).encode()


@dataclass
class Grant:
    scopes: set
    alive: bool = True


class Authority:
    """What the server knows and does."""

    def __init__(self, twist=None, omits=()):
        self.twist = twist or (lambda asked, answer: answer)
        self.omits = omits
        self.client_secret = "client-secret-of-a-test"
        self.grants = {}  # by grant ID
        self.access = {}  # a token's grant ID
        self.refresh = {}  # a token's grant ID
        self.seen = []

    def answer(self, asked):
        asked = replace(asked, who=self.who(asked.token), which=self.which(asked.grant_id))
        kind = (asked.door, asked.method, asked.action)
        same = [one for one in self.seen if (one.door, one.method, one.action) == kind]
        asked = replace(asked, number=len(same) + 1)
        self.seen.append(asked)
        return self.twist(asked, getattr(self, asked.door)(asked))

    def does(self, duty):
        return duty not in self.omits

    def who(self, token):
        named = {"": "nobody", WEAK: "weak", OUTLIVING: "outliving"}
        return named.get(token) or ("client" if token in self.access else "stranger")

    def which(self, grant_id):
        if grant_id in self.grants:
            return "live" if self.grants[grant_id].alive else "dead"
        return {"": "none", "/": "none", OTHER: "other"}.get(grant_id, "unknown")

    def metadata(self, asked):
        actions = ["query", "revoke", "create", "merge", "replace"]
        return Answer(
            value={
                "grant_management_actions_supported": actions,
                "grant_management_endpoint": f"{self.base}/gm",
                "grant_management_action_required": False,
            }
        )

    # Authorization and token requests

    def authorize(self, asked):
        error = self.error(asked.action, asked.grant_id)
        if error:
            return Answer(value={"error": error, "state": "s"})
        if asked.action == "create" and not self.does("keep earlier grants"):
            self.grants.clear()
        grant_id = asked.grant_id or secrets.token_urlsafe(32)
        if self.grants and not self.does("make another grant"):
            grant_id = next(iter(self.grants))
        self.change(asked.action, grant_id, set(asked.parameters["scope"].split()))
        response = {"code": f"code-{secrets.token_hex(12)}", "state": "s"}
        return Answer(
            value=self.issue(grant_id) | {"grant_id": grant_id, "authorization_response": response}
        )

    def change(self, action, grant_id, scopes):
        grant = self.grants.setdefault(grant_id, Grant(set()))
        if self.does(f"kill refresh tokens on {action}"):
            self.forget(self.refresh, grant_id)
        if action == "replace":
            self.forget(self.access, grant_id)
        if action == "replace" and self.does("empty on replace"):
            grant.scopes = set()
        if action == "merge" and not self.does("keep on merge"):
            grant.scopes = set()
        if self.does(f"add on {action}"):
            grant.scopes |= scopes

    def error(self, action, grant_id):
        if action not in ("create", "merge", "replace") or (action == "create") == bool(grant_id):
            return "invalid_request"
        return "invalid_grant_id" if grant_id and self.which(grant_id) != "live" else None

    def token(self, asked):
        pair = ":".join(map(quote_plus, (CLIENT_ID, self.client_secret)))
        if asked.token != base64.b64encode(pair.encode()).decode():
            return Answer(401, {"error": "invalid_client"})
        grant_id = self.refresh.pop(asked.parameters["refresh_token"], None)
        if grant_id is None:
            return Answer(400, {"error": "invalid_grant"})
        return Answer(value=self.issue(grant_id))

    def issue(self, grant_id):
        access, refresh = f"at-{secrets.token_hex(12)}", f"rt-{secrets.token_hex(12)}"
        self.access[access] = self.refresh[refresh] = grant_id
        return {"access_token": access, "refresh_token": refresh, "token_type": "Bearer"}

    def forget(self, tokens, grant_id):
        for token in [one for one, of in tokens.items() if of == grant_id]:
            del tokens[token]

    # The grant management API

    def gm(self, asked):
        if asked.who == "nobody":
            return Answer(401).field("WWW-Authenticate", "Bearer")
        if asked.who == "stranger":
            return Answer(401).field("WWW-Authenticate", 'Bearer error="invalid_token"')
        if asked.who == "weak" or asked.which == "other":
            return Answer(403)
        if asked.which != "live":
            return Answer(404)
        if asked.method not in ("GET", "DELETE"):
            return Answer(405).field("Allow", "GET, DELETE")
        grant = self.grants[asked.grant_id]
        return self.query(grant) if asked.method == "GET" else self.revoke(asked.grant_id, grant)

    def query(self, grant):
        first, *rest = sorted(grant.scopes) or ["-"]
        resources = ["https://rs.example/a?b=c", "urn:x:y"]
        scopes = [{"scope": first, "resource": resources}]
        return Answer(
            value={
                "scopes": scopes + ([{"scope": " ".join(rest)}] if rest else []),
                "claims": ["name", "email"],
                "authorization_details": [{"type": "payment", "amount": {"value": 1.5}}],
                "created_at": 1700000000,
                "expires_at": 1900000000.5,
                "last_updated_at": 1700000001,
                "updated_by": "authorization_server",
            }
        )

    def revoke(self, grant_id, grant):
        grant.alive = not self.does("kill the grant")
        if self.does("kill access tokens on revoke"):
            self.forget(self.access, grant_id)
        if self.does("kill refresh tokens on revoke"):
            self.forget(self.refresh, grant_id)
        return Answer(204, headers=())


class Handler(BaseHTTPRequestHandler):
    def handle_any(self):
        door, _, rest = self.path[1:].partition("/")
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        parameters = json.loads(body) if door == "authorize" else dict(parse_qsl(body))
        grant_id = parameters.get("grant_id") or rest or "/" * self.path[1:].endswith("/")
        token = (self.headers["Authorization"] or "").partition(" ")[2]
        asked = Asked(door, self.command, grant_id, token, parameters)
        self.write(self.server.authority.answer(asked))

    def write(self, answer):
        if not isinstance(answer, Answer):  # these very bytes, part by part
            for part in answer:
                self.wfile.write(part)
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that hung up is no error of the server."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@contextmanager
def serving(twist=None, omits=(), kind=Authority):
    """The server; yields its authority, of this kind, which knows its base URL."""
    authority = kind(twist, omits)
    server = Server(("127.0.0.1", 0), Handler)
    server.authority, authority.port = authority, server.server_address[1]
    authority.base = f"http://127.0.0.1:{authority.port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def members(authority):
    """The suite's config for this server."""
    return {
        "metadata_url": f"{authority.base}/metadata",
        "token_endpoint": f"{authority.base}/token",
        "client_id": CLIENT_ID,
        "client_secret": authority.client_secret,
        # Isolated, since it starts faster so.
        "authorize": [sys.executable, "-I", "-S", "-c", PROGRAM, str(authority.port)],
        "scope": SCOPE,
        "more_scope": MORE,
        "outliving_access_token": OUTLIVING,
        "weak_access_token": WEAK,
        "other_grant_id": OTHER,
    }
