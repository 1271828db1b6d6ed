"""The example server with its users and clients, and what each door says of their tokens."""

import json

import requests

from .example import GM, Browser, Client, example_server, new_database

ALL = f"{GM} introspection"
DEAD = {"here": False, "gm": 401, "view": False, "there": False}
ALIVE = {"here": True, "gm": 200, "view": True, "there": True}


class World:
    """A server, two users at their browsers, two clients."""

    def __init__(self, seeded):
        self.base, self.run, self.manage = seeded["base"], seeded["run"], seeded["manage"]
        self.api_token, self.seeded = seeded["api_token"], seeded
        self.ann, self.bob = (Browser(self.base, **user) for user in seeded["users"])
        self.client, self.other = (Client(seeded, number) for number in (0, 1))
        self.asker = self.other.own_token("introspection")

    def tokens(self, scope=ALL, **asked):
        """Of a new grant, unless it is `asked` otherwise."""
        tokens = self.client.authorize(
            self.ann, scope, **(asked or {"grant_management_action": "create"})
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

    def is_active(self, token):
        """By the toolkit's introspection view."""
        headers = {"Authorization": f"Bearer {self.asker}"}
        url = f"{self.base}/o/introspect/"
        return requests.post(url, data={"token": token}, headers=headers, timeout=60).json()[
            "active"
        ]

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
THEIRS = """
import hashlib
from django.utils import timezone
from oauth2_provider.models import *
def access(value):
    return AccessToken.objects.get(token_checksum=hashlib.sha256(value.encode()).hexdigest())
def refresh(value):
    has = any(f.name == "token_checksum" for f in RefreshToken._meta.fields)
    by = {"token_checksum": hashlib.sha256(value.encode()).hexdigest()} if has else {"token": value}
    return RefreshToken.objects.get(**by)
"""


def served(blocker, folder, variables=None, workers=1, **provider):
    """The example server with these of the toolkit's settings."""
    more = {"TEST_OAUTH2_PROVIDER": json.dumps(provider), **(variables or {})}
    return example_server(new_database(blocker, folder), workers=workers, **more)
