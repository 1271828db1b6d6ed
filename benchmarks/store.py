"""Writes of the store: tokens created and refreshed, grants merged, beside the bare view.

Each request writes to another grant, in every round.
"""

import json

from . import targets
from .data import Size
from .load import post
from .rounds import play, report

OPERATIONS = ("create", "refresh", "merge")


def measure(database, url, postmaster, folder, stack, options):
    """The figures: medians and rounds, and the rate of each operation beside the bare view's."""
    key = targets.Key()
    targets.prepare(url, options.grants, key.jkt)
    server = targets.serve(url, peers=True)
    stack.callback(server.stop)
    numbers = iter(targets.alive(options.grants // 2))
    measured = [_bare(server, options), *(_target(server, name, numbers) for name in OPERATIONS)]
    rounds = []
    for number in range(options.rounds + 1):
        print(f"round {number} of {options.rounds}" if number else "warm up", flush=True)
        rounds.append(play(measured, options, postmaster))
    ratios = [(f"{name} / bare Django view", name, "bare") for name in OPERATIONS]
    return report(rounds[1:], ratios)


def _bare(server, options):
    def requests(count):
        return targets.moved(targets.bearer_queries(count, options.grants), "/api/bare")

    return targets.Target("bare", server, requests, b"A277001")


def _target(server, name, numbers):
    def requests(count):
        return [_CALLS[name](next(numbers)) for _ in range(count)]

    return targets.Target(name, server, requests, _EXPECTED[name])


def new_grant(number):
    """A grant for the client and the subject of grant `number`."""
    members = {
        "subject": f"subject-{number % Size.subjects}",
        "scopes": [{"scope": "openid"}],
        "active": True,
    }
    return _post("grants", members, number)


def new_tokens(number):
    """An access token and a refresh token of a grant."""
    members = {
        "grantType": "AUTHORIZATION_CODE",
        "grantId": f"g-{number:010d}",
        "subject": f"subject-{number % Size.subjects}",
        "scopes": ["openid"],
        "accessToken": f"created-{number}",
    }
    return _post("auth/token/create", members, number)


def refreshed(number):
    """A refresh with the grant's first refresh token."""
    return _post("tokens/refresh", {"refreshToken": f"refresh-{number}"}, number)


def _merge(number):
    return _post(
        f"grants/g-{number:010d}/merge",
        {"scopes": [{"scope": "openid"}, {"scope": "payments"}]},
        None,
    )


def _post(route, members, number):
    if number is not None:
        client = f"client-{number % Size.clients}"
        members = {**members, "clientIdentifier": client}
    body = json.dumps(members).encode()
    path = f"/api/{targets.SERVICE}/{route}"
    return post(path, body, Authorization=f"Bearer {targets.API_TOKEN}")


_CALLS = {"create": new_tokens, "refresh": refreshed, "merge": _merge}
_EXPECTED = {"create": b'"OK"', "refresh": b"refreshToken", "merge": b"grantId"}
