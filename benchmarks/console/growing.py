"""Rows of the tables that grow beside the grants: calls, deliveries, events of the organization,
and what a job revoked; all in the last weeks. And the counters of events.
"""

import json
from datetime import timedelta

from benchmarks.data import FIRST_SERVICE, insert, midnight, words_of

SPAN = timedelta(days=60)
FAR = 253_402_214_400
"""When a SET is due that is fetched: 9999-12-31."""
STEP = {"title": "The grant exists and is active", "state": "passed"}
STEPS = json.dumps([STEP | dict.fromkeys(("why", "expected", "presented"), "")] * 15)


def make(number, webhook, stream, job):
    """Make `number` rows of each table."""
    from django.db import connection, transaction

    from grant_management.models import (
        Call,
        GrantEvent,
        OrganizationEvent,
        StreamDelivery,
        WebhookDelivery,
    )

    words = words_of(connection)
    columns = _Columns(words, number)
    tables = (
        (Call, columns.call()),
        (WebhookDelivery, columns.to_webhook(webhook)),
        (StreamDelivery, columns.to_stream(stream)),
        (OrganizationEvent, columns.of_organization()),
        (GrantEvent, columns.of_job(job)),
    )
    with transaction.atomic(), connection.cursor() as cursor:
        words.trust(cursor)
        for model, values in tables:
            insert(cursor, words, model, values, 0, number)
        _count_events(cursor, connection.vendor)


class _Columns:
    """The columns of the tables, each with the SQL of its value for number `i`."""

    def __init__(self, words, number):
        first, step = (midnight() - SPAN).timestamp(), SPAN.total_seconds() / max(number, 1)
        key = {"ms": int(first * 1_000), "step": int(step * 1_000), "service": FIRST_SERVICE}
        self.words = words
        self.at = words.moment.format(at=f"{int(first)} + CAST(i * {step} AS bigint)")
        self.id = words.key.format(kind=0, **key)
        self.grant = f"'g-' || {words.number}"
        self.client = "'client-' || (i % 1000)"
        self.service = str(FIRST_SERVICE)

    def call(self):
        """A call in ten is refused."""
        return {
            "id": self.id,
            "service_id": self.service,
            "at": self.at,
            "action": "'QUERY'",
            "code": "CASE WHEN i % 10 = 0 THEN 'A284302' ELSE 'A277001' END",
            "client_id": self.client,
            "grant_id": self.grant,
            "answer": '\'{"resultCode":"A277001","action":"OK"}\'',
            "steps": f"'{STEPS}'",
        }

    def to_webhook(self, webhook):
        """A delivery in ten was given up; the others were delivered."""
        return self._delivery("grant.revoked") | {
            "webhook_id": f"'{webhook.pk.hex}'",
            "delivered_at": f"CASE WHEN i % 10 > 0 THEN {self.at} END",
            "dead_at": f"CASE WHEN i % 10 = 0 THEN {self.at} END",
        }

    def to_stream(self, stream):
        """All wait to be fetched."""
        return self._delivery("session-revoked") | {
            "stream_id": f"'{stream.pk.hex}'",
            "details": "'{}'",
            "outcome": "''",
            "due_at": self.words.moment.format(at=FAR),
        }

    def _delivery(self, kind):
        return {
            "id": self.id,
            "event": self.words.random_key,
            "type": f"'{kind}'",
            "grant_id": self.grant,
            "number": "i",
            "created_at": self.at,
            "attempts": "1",
        }

    def of_organization(self):
        """Events of the organization."""
        return self._event("imported") | {"organization_id": "1"}

    def of_job(self, job):
        """The events of grants that a job revoked."""
        return self._event("revoked") | {
            "service_id": self.service,
            "job": f"'{job.pk.hex}'",
            "client_id": self.client,
            "grant_id": self.grant,
            "subject": "'subject-' || i",
        }

    def _event(self, kind):
        return {
            "id": self.id,
            "kind": f"'{kind}'",
            "at": self.at,
            "actor_kind": "'operator'",
            "actor": "'ann'",
            "actor_id": "''",
            "reason": "''",
            "note": "''",
            "ticket": "CASE WHEN i % 50 = 0 THEN 'T-1' ELSE '' END",
            "details": "'{}'",
        }


DAY = {"sqlite": "date(at)", "postgresql": "(at AT TIME ZONE 'UTC')::date"}


def _count_events(cursor, vendor):
    """The counters of all events, as `Tally` counts them, but by one statement."""
    from grant_management.models import Tally

    cursor.execute(
        "INSERT INTO grant_management_dailycount (service_id, day, client_id, kind, number)"
        f" SELECT service_id, {DAY[vendor]} AS day, client_id, kind, COUNT(*)"
        " FROM grant_management_grantevent WHERE at < %s GROUP BY service_id, 2, client_id, kind",
        [midnight()],
    )
    Tally.objects.update_or_create(pk=1, defaults={"counted_until": midnight()})
    Tally.count_events()
