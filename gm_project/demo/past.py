"""A past for the demo: a month of grants, so that the admin has something to show."""

import random
import secrets
from datetime import datetime, timedelta
from typing import Final

from grant_management.db.ids import uuid7
from grant_management.models import Actor, Client, EventKind, Grant, GrantEvent, Reason, Service

APPS: Final = {
    "budget-app": "Budget App",
    "tax-helper": "Tax Helper",
    "home-loans": "Home Loans",
    "shop-checkout": "Shop Checkout",
}
DETAILS: Final = (
    "",
    '[{"type":"account_information","actions":["list_accounts","read_balances"],"locations":'
    '["https://rs.example.com/accounts"]}]',
    '[{"type":"payment_initiation","instructedAmount":{"currency":"EUR","amount":"123.50"},'
    '"creditorName":"Merchant A","recurring":false}]',
)
SCOPES: Final = (
    '[{"scope":"accounts","resource":["https://rs.example.com/api"]},{"scope":"openid"}]',
    '[{"scope":"email openid profile"}]',
    '[{"scope":"accounts balances transactions","resource":["https://rs.example.com/api"]}]',
)
REASONS: Final = ("requested by user", "suspected fraud", "client offboarded")


def make_past(service: Service, now: datetime, days: int = 30) -> None:
    """Create grants of each day, some of them revoked since; each run makes the same month."""
    chance = random.Random(7)  # noqa: S311 - a picture, not a secret
    clients = [_client(service, *one) for one in APPS.items()]
    grants: list[Grant] = []
    events: list[GrantEvent] = []
    for day in range(days, 0, -1):
        for _ in range(chance.randint(2, 9)):
            at = now - timedelta(days=day, minutes=chance.randint(0, 1_300))
            grant = _grant(service, chance.choice(clients), at, chance)
            grants.append(grant)
            events += _life_of(grant, at, now, chance)
    Grant.objects.bulk_create(grants)
    GrantEvent.objects.bulk_create(events)


def _client(service: Service, client_id: str, name: str) -> Client:
    values = {"name": name}
    return Client.objects.get_or_create(service=service, client_id=client_id, defaults=values)[0]


def _grant(service: Service, client: Client, at: datetime, chance: random.Random) -> Grant:
    ends = chance.choice([None, timedelta(days=20), timedelta(days=33), timedelta(days=90)])
    return Grant(
        id=uuid7(at),
        service=service,
        client=client,
        grant_id=secrets.token_urlsafe(32),
        subject=f"user-{chance.randint(1, 40)}",
        scopes=chance.choice(SCOPES),
        claims=chance.choice(["", '["email"]']),
        authorization_details=chance.choice(DETAILS),
        created_at=at,
        expires_at=None if ends is None else at + ends,
    )


def _life_of(grant: Grant, at: datetime, now: datetime, chance: random.Random) -> list[GrantEvent]:
    """The events of a grant: its creation and, for one in four, a revoke, which it also stamps."""
    client = Actor.client(grant.client.client_id)
    events = [_event(grant, EventKind.CREATED, at, client, Reason(""))]
    later = at + timedelta(hours=chance.randint(1, 400))
    if chance.random() < 0.25 and later < now:
        grant.revoked_at, grant.access_generation, grant.refresh_generation = later, 1, 1
        by_client = chance.random() < 0.5
        who = client if by_client else Actor.operator(chance.choice(["ann", "bob"]))
        why = Reason("requested by client") if by_client else Reason(chance.choice(REASONS))
        events.append(_event(grant, EventKind.REVOKED, later, who, why))
    return events


def _event(grant: Grant, kind: EventKind, at: datetime, actor: Actor, why: Reason) -> GrantEvent:
    about = {**grant.event_fields(), "client_id": grant.client.client_id, "subject": grant.subject}
    return GrantEvent.about(kind, at, actor, id=uuid7(at), reason=why.reason, **about)
