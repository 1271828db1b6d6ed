"""What is long: a grant of 300 scopes, 200 KB of authorization details and 10,000 tokens, and a
client whose name has 200 characters, of which some run from right to left.
"""

import json
from datetime import timedelta

from benchmarks.data import FIRST_SERVICE, midnight

SCOPES, DETAILS, TOKENS, NAME = 300, 200_000, 10_000, 200
PERSON = CLIENT = GRANT = "long"
"""The subject, the client's ID and the grant's ID."""


def make():
    """Make the grant with all that belongs to it."""
    from grant_management.models import Client, Description, Grant, Service, Sweep

    service = Service.objects.get(pk=FIRST_SERVICE)
    client = Client.objects.create(service=service, client_id=CLIENT, name=name())
    grant = Grant(service=service, client=client, grant_id=GRANT, subject=PERSON, **content())
    grant.created_at = midnight() - timedelta(minutes=1)
    grant.save(force_insert=True)
    _make_tokens(grant)
    _make_past(grant)
    sentence = "See what this stands for. " * 8
    texts = [{"language": "en", "name": "Accounts " * 10, "sentence": sentence.strip()}]
    Description.objects.bulk_create(
        Description(service=service, kind="scope", name=one, texts=texts) for one in scope_names()
    )
    at = dict.fromkeys(("started_at", "finished_at"), midnight())
    Sweep.objects.create(service=service, client=client, subject=PERSON, expected=1, **at)


def name():
    """200 characters, of which some run from right to left."""
    return ("تطبيق الميزانية Budget אפליקציה " * 7)[:NAME]


def scope_names():
    """300 names."""
    return [f"accounts.read.of-branch-{number:04}" for number in range(SCOPES)]


def content():
    """The columns of a grant's content."""
    detail = {"type": "account_information", "actions": ["list_accounts", "read_balances"]}
    details, size = [], 0
    while size < DETAILS:
        one = {
            **detail,
            "identifier": f"account-{len(details)}",
            "locations": ["https://a.example"],
        }
        details.append(one)
        size += len(json.dumps(one)) + 2
    return {
        "scopes": json.dumps([{"scope": " ".join(scope_names())}]),
        "authorization_details": json.dumps(details),
    }


def _make_tokens(grant):
    from grant_management.models import AccessToken
    from grant_management.protocol.digests import sha256

    times = {"issued_at": grant.created_at, "expires_at": midnight() + timedelta(days=365)}
    fields = {"service": grant.service, "client": grant.client, "grant": grant, **times}
    scopes = " ".join(scope_names())
    AccessToken.objects.bulk_create(
        [
            AccessToken(**fields, subject=PERSON, scopes=scopes, digest=sha256(f"long-{number}"))
            for number in range(TOKENS)
        ],
        batch_size=1_000,
    )


def _make_past(grant):
    """The event of its creation, which has its content; the event of a change; and a call."""
    from grant_management.models import Actor, Call, GrantEvent

    about = {"grant_id": GRANT, "client_id": CLIENT}
    details = {"before": "{}", "after": grant.content()}
    for kind in ("created", "merged"):
        at, actor = grant.created_at, Actor.client(CLIENT)
        event = GrantEvent.about(kind, at, actor, service_id=FIRST_SERVICE, **about)
        event.subject, event.details = PERSON, details
        event.save()
    Call.objects.create(service=grant.service, at=grant.created_at, code="A277001", **about)
