"""A world whose numbers and names are the same in each run, so that its answers are, too."""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.test import Client as HTTP

from grant_management.models import ApiToken, Client, Organization, Service
from grant_management.models.api_token import OF_ORGANIZATIONS, RIGHTS
from grant_management.protocol.digests import sha256

from ..world import ENDPOINT, World, now

SERVICE_TOKEN, ORGANIZATION_TOKEN = "example-service-token", "example-organization-token"
ACCESS_TOKEN, REFRESH_TOKEN = "example-access-token", "example-refresh-token"
GRANT = "example-grant"


@dataclass
class Call:
    """One call of an operation. `prepare` gets the scene, and may return what the request has
    besides: `{"parameters", "query", "body", "headers"}`.
    """

    operation: str
    name: str
    parameters: dict = field(default_factory=dict)
    body: object = None
    query: str = ""
    headers: dict = field(default_factory=dict)
    token: str = SERVICE_TOKEN
    prepare: object = None
    media_type: str = "application/json"

    def __str__(self):
        return f"{self.operation}: {self.name}"


class Scene(World):
    """The world of the examples: one grant with an access token and a refresh token."""

    @classmethod
    def make(cls):
        organization = Organization.objects.create(pk=1, name="Example Bank")
        values = {"name": "Retail", "grant_management_endpoint": ENDPOINT}
        service = Service.objects.create(pk=1001, organization=organization, **values)
        client = Client.objects.create(
            pk=2001, service=service, client_id="app-1", name="Budget App"
        )
        for value, of in ((SERVICE_TOKEN, service), (ORGANIZATION_TOKEN, None)):
            made = {"digest": sha256(value), "prefix": value[:8], "created_at": now()}
            rights = dict.fromkeys(set(RIGHTS) - (set(OF_ORGANIZATIONS) if of else set()), True)
            ApiToken.objects.create(organization=organization, service=of, **made, **rights)
        scene = cls(service, client, SERVICE_TOKEN)
        scene.held = scene.grant(grant_id=GRANT)
        scene.token(scene.held, value=ACCESS_TOKEN)
        scene.refresh_token(scene.held, value=REFRESH_TOKEN)
        return scene


def send(call, path, method, scene):
    """Make the call; the request as it was sent, and the response."""
    more = (call.prepare(scene) if call.prepare else None) or {}
    parameters = {"serviceId": 1001, **call.parameters, **more.get("parameters", {})}
    url = re.sub(r"\{(\w+)\}", lambda found: str(parameters[found[1]]), path)
    headers = {"Authorization": f"Bearer {call.token}"} if call.token else {}
    headers |= call.headers | more.get("headers", {})
    body = call.body if more.get("body") is None else more["body"]
    http = HTTP(raise_request_exception=False)
    if method not in ("post", "put", "patch"):
        query = more.get("query", call.query)
        return body, http.generic(method.upper(), url + query, headers=headers)
    is_json = call.media_type == "application/json"
    text = json.dumps(body or {}) if is_json else urlencode(body)
    return body, http.generic(method.upper(), url, text, call.media_type, headers=headers)


UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00"
STAMPS = ("At", "iat", "exp", "_at")
RANDOM = {
    "accessToken": (r"[\w-]{43}", "example-new-access-token"),
    "refreshToken": (r"[\w-]{43}", "example-new-refresh-token"),
    "grantId": (r"[\w-]{43}", "example-new-grant"),
    "token": (r"gms_[\w-]{43}", "gms_example"),
    "secret": (r"whsec_[\w+/=]{44}", "whsec_example"),
    "publicKey": (r"whpk_[\w+/=]{44}", "whpk_example"),
    "dpopNonce": (r"[\w-]{20,}", "example-nonce"),
}
"""What is different in each run, by the member's name: the pattern, and what the example has."""


def settled(value, name=""):
    """The value, where what differs in each run is replaced. What has another form is left."""
    if isinstance(value, dict):
        return {key: settled(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [settled(one, name) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return settled_number(value, name)
    return settled_text(value, name) if isinstance(value, str) else value


def settled_number(value, name):
    if name in ("clientId", "apiKey", "serviceId") and value not in (1001, 2001):
        return 4001
    if not name.endswith(STAMPS):
        return value
    return 1_767_225_600_000 if value > 10**11 else 1_767_225_600 if value > 10**9 else value


def settled_text(value, name):
    pattern, shown = RANDOM.get(name, ("", ""))
    if pattern and re.fullmatch(pattern, value):
        return shown
    if name == "properties" or (name == "value" and re.fullmatch(r"[\w-]{43}", value)):
        return "example-new-grant"
    value = re.sub(UUID, "01900000-0000-7000-8000-000000000001", value)
    value = re.sub(r'"(iat|exp)": ?\d+', r'"\1":1767225600', value)
    return re.sub(ISO, "2026-01-01T00:00:00+00:00", value)
