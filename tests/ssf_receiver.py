"""A receiver of Shared Signals, written from the specifications alone: OpenID SSF 1.0, RFC 8417,
RFC 8935, RFC 8936 and RFC 9493. It imports nothing of the product, and verifies tokens with joserfc,
which the product does not use.
"""

import base64
import json
import threading
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
SSF = "https://schemas.openid.net/secevent/ssf/event-type"


class Rejected(Exception):
    """A SET that is not valid. `err` is the code of RFC 8935 §2.4."""

    def __init__(self, err, description):
        super().__init__(description)
        self.err, self.description = err, description


@dataclass
class SSFReceiver:
    """`ask(method, url, headers, body)` makes an HTTP request: status, headers, body."""

    issuer: str
    token: str
    ask: object
    seen: dict = field(default_factory=dict)
    streams: dict = field(default_factory=dict)
    lock: object = field(default_factory=threading.Lock)

    def discover(self):
        """SSF §7.2: the well-known path goes between host and path."""
        scheme, host, path, *_rest = urlsplit(self.issuer)
        url = f"{scheme}://{host}/.well-known/ssf-configuration{path.rstrip('/')}"
        status, headers, body = self.ask("GET", url, {}, None)
        assert (status, headers["Content-Type"]) == (200, "application/json")
        self.metadata = json.loads(body)
        assert self.metadata["issuer"] == self.issuer
        self.fetch_keys()
        return self.metadata

    def fetch_keys(self):
        status, _headers, body = self.ask("GET", self.metadata["jwks_uri"], {}, None)
        assert status == 200
        members = json.loads(body)["keys"]
        assert not any(set(one) & {"d", "p", "q", "k"} for one in members)
        self.keys = {one["kid"]: one for one in members}

    # Streams (SSF §8.1).

    def call(self, endpoint, method="POST", members=None, **query):
        url = self.metadata[endpoint] + (f"?{urlencode(query)}" if query else "")
        return self.send(method, url, members)

    def send(self, method, url, members=None):
        headers = {"Authorization": f"Bearer {self.token}"}
        body = None
        if members is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(members).encode()
        status, headers, body = self.ask(method, url, headers, body)
        assert "no-store" in headers["Cache-Control"]
        return status, json.loads(body) if body else None

    def create(self, **members):
        status, made = self.call("configuration_endpoint", members=members)
        assert status == 201, made
        assert made["iss"] == self.issuer
        assert set(made["events_delivered"]) <= set(made["events_supported"])
        assert set(made["events_delivered"]) <= set(made.get("events_requested", []))
        self.streams[made["stream_id"]] = made
        return made

    # Security Event Tokens (RFC 8417, SSF §4.1).

    def verify(self, token):
        header = _part(token, 0)
        if header.get("typ") != "secevent+jwt" or header.get("alg") != "RS256":
            raise Rejected("invalid_request", "typ or alg")
        if header.get("kid") not in self.keys:
            self.fetch_keys()  # a key that is new
        if header.get("kid") not in self.keys:
            raise Rejected("invalid_key", "kid")
        try:
            keys = KeySet.import_key_set({"keys": list(self.keys.values())})
            claims = json.loads(jws.deserialize_compact(token, keys, ["RS256"]).payload)
        except (JoseError, ValueError):
            raise Rejected("invalid_key", "signature") from None
        return self._judged(claims)

    def _judged(self, claims):
        if claims.get("iss") != self.issuer:
            raise Rejected("invalid_issuer", "iss")
        if claims.get("aud") not in {one["aud"] for one in self.streams.values()}:
            raise Rejected("invalid_audience", "aud")
        if {"sub", "exp"} & set(claims):
            raise Rejected("invalid_request", "sub or exp")
        if not (isinstance(claims.get("jti"), str) and isinstance(claims.get("iat"), int)):
            raise Rejected("invalid_request", "jti or iat")
        if len(claims.get("events", {})) != 1:
            raise Rejected("invalid_request", "events")
        _check_subject(claims.get("sub_id"))
        return claims

    def take(self, token):
        """A SET that came in: its claims. One that came before is no error (RFC 8935 §2)."""
        claims = self.verify(token)
        with self.lock:
            before = self.seen.setdefault(claims["jti"], claims)
        assert before == claims, "one jti, one SET"
        return claims

    def types(self):
        return [kind for claims in self.seen.values() for kind in claims["events"]]

    # Push (RFC 8935 §2).

    def pushed(self, handler):
        """The answer to a push, for `tests.receiver`."""
        try:
            assert handler.headers["Content-Type"] == "application/secevent+jwt"
            self.take(handler.body.decode())
            status, answer = 202, None
        except Rejected as error:
            status, answer = 400, {"err": error.err, "description": error.description}
        handler.send_response(status)
        if answer is not None:
            handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        if answer is not None:
            handler.wfile.write(json.dumps(answer).encode())

    # Poll (RFC 8936 §2).

    def poll(self, stream, **members):
        url = stream["delivery"]["endpoint_url"]
        status, answer = self.send("POST", url, members)
        assert status == 200, answer
        for jti, token in answer["sets"].items():
            assert self.take(token)["jti"] == jti
        return answer

    def drain(self, stream):
        """All that waits, in the order in which it came, and confirmed."""
        answer = self.poll(stream, returnImmediately=True)
        while answer["sets"]:
            answer = self.poll(stream, returnImmediately=True, ack=list(answer["sets"]))
        return list(self.seen.values())


def _part(token, place):
    text = token.split(".")[place]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _check_subject(subject):
    """RFC 9493 §3, and the complex subjects of SSF §3.3."""
    if not isinstance(subject, dict) or "format" not in subject:
        raise Rejected("invalid_request", "sub_id")
    if subject["format"] == "complex":
        members = [one for name, one in subject.items() if name != "format"]
        if not members:
            raise Rejected("invalid_request", "sub_id")
        for one in members:
            _check_subject(one)
    elif subject["format"] == "iss_sub":
        if set(subject) != {"format", "iss", "sub"}:
            raise Rejected("invalid_request", "sub_id")
    elif set(subject) != {"format", "id"}:
        raise Rejected("invalid_request", "sub_id")


class Always(list):
    """Answers without end, for `tests.receiver`: these first, then always the same."""

    def __init__(self, last, first=()):
        super().__init__(first)
        self.last = last

    def pop(self, place):
        return super().pop(place) if len(self) else self.last

    def __bool__(self):
        return True
