"""On PostgreSQL the keys of the tables of services begin with the service, so that Citus can
distribute them.

It can be run again after it was interrupted, and back. It changes nothing on SQLite.
"""

from django.db import migrations

from ._keys import KeysWithinService, NumbersBySequence

KEYS = {
    "client": "id",
    "grant": "id",
    "accesstoken": "id",
    "refreshtoken": "id",
    "selfservicetoken": "id",
    "dpopnonce": "id",
    "idempotencykey": "id",
    "grantevent": "id",
    "eventlink": "id",
    "call": "id",
    "sweep": "id",
    "dailycount": "id",
    "hourlycount": "id",
    "logo": "client_id",
    "clientprofile": "client_id",
    "description": "id",
    "signingkey": "id",
}
RELATIONS = [
    ("grant", "client_id", "client"),
    ("accesstoken", "client_id", "client"),
    ("accesstoken", "grant_id", "grant"),
    ("refreshtoken", "client_id", "client"),
    ("refreshtoken", "grant_id", "grant"),
    ("logo", "client_id", "client"),
    ("clientprofile", "client_id", "client"),
    ("sweep", "client_id", "client"),
]


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY has to be outside of a transaction

    dependencies = [("grant_management", "0015_shared_signals")]

    operations = [
        NumbersBySequence(["dailycount", "hourlycount", "eventlink"]),
        KeysWithinService(KEYS, RELATIONS, shared=("client", "grant")),
    ]
