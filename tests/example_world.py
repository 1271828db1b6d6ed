"""The example server with its users and clients, and what each door says of their tokens."""

import json

import requests

from .bridges import TOOLKIT
from .example import GM, Browser, Client, example_server, new_database

ALL = f"{GM} introspection"
DEAD = {"here": False, "gm": 401, "view": False, "there": False}
ALIVE = {"here": True, "gm": 200, "view": True, "there": True}


class World:
    """A server, two users at their browsers, two clients."""

    def __init__(self, seeded):
        self.base, self.run, self.manage = seeded["base"], seeded["run"], seeded["manage"]
        self.api_token, self.seeded = seeded["api_token"], seeded
        self.bridge = seeded.get("bridge", TOOLKIT)
        self.theirs = self.bridge.theirs
        self.all = " ".join(sorted({*ALL.split(), *self.bridge.protected_by}))
        self.ann, self.bob = (self.browser(**user) for user in seeded["users"])
        self.client, self.other = (Client(seeded, number) for number in (0, 1))
        self.asks = self.bridge.asks(self.other)

    def browser(self, username, password):
        return Browser(self.base, username, password, self.bridge)

    def tokens(self, scope="", **asked):
        """Of a new grant, unless it is `asked` otherwise."""
        tokens = self.client.authorize(
            self.ann, scope or self.all, **(asked or {"grant_management_action": "create"})
        )
        assert "access_token" in tokens, tokens
        return tokens

    def post(self, path, form):
        headers = {"Authorization": f"Bearer {self.api_token}"}
        answer = requests.post(f"{self.base}{path}", data=form, headers=headers, timeout=60)
        return answer.json()

    def is_known(self, token):
        """Alive, by our own introspection."""
        return self.post("/api/1/introspect", {"token": token})["active"]

    def introspected(self, token):
        """By the server's own introspection endpoint."""
        url = f"{self.base}{self.bridge.introspect}"
        return requests.post(url, data={"token": token}, timeout=60, **self.asks).json()

    def is_active(self, token):
        return self.introspected(token)["active"]

    def access(self, tokens):
        """What each door says of an access token."""
        token = tokens["access_token"]
        return {
            "here": self.is_known(token),
            "gm": self.client.gm("GET", tokens.get("grant_id", "none"), token)[0],
            "view": self.client.opens(token),
            "there": self.is_active(token),
        }

    def refresh(self, tokens, **more):
        status, answer = self.client.refresh(tokens["refresh_token"], **more)
        assert status == 200, answer
        return answer

    def refusal(self, tokens):
        """The error of a refresh that fails."""
        status, answer = self.client.refresh(tokens["refresh_token"])
        assert status == 400, answer
        return answer["error"]

    def events(self):
        """What was recorded so far, oldest first."""
        return self.run(EVENTS)

    def told(self, act):
        """The events that an act leaves."""
        before = len(self.events())
        act()
        return self.events()[before:]


EVENTS = """
from grant_management.models import GrantEvent
rows = GrantEvent.objects.exclude(kind="client_created").order_by("id")
result = [[e.kind, e.actor_kind, e.client_id, e.subject, e.details.get("count")] for e in rows]
"""
THEIRS = TOOLKIT.theirs


def served(blocker, folder, variables=None, workers=1, bridge=TOOLKIT, **provider):
    """The example server; the rest are settings of the toolkit, or others with allauth."""
    name = "TEST_OAUTH2_PROVIDER" if bridge is TOOLKIT else "TEST_SETTINGS"
    more = {name: json.dumps(provider), **(variables or {})}
    return example_server(new_database(blocker, folder), workers=workers, bridge=bridge, **more)
